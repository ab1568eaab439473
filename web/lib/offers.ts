/** What an offer costs at a given moment and how its stock is drawn. Pure. */
import { toMs } from "./time";
import type { Deal, Money, Offer } from "./shapes";

/** A bar shows pieces on one scale for every viewer: full from this many on, unless the server says how many there were. */
const FULL_BAR_PIECES = 20;

export interface PriceNow {
  price: Money;
  /** The regular price that comes back when the deal ends. */
  after: Money | null;
  /** The lowest price of the last 30 days; only the server can know it. */
  reference: Money | null;
  deal: { phase: "soon" | "on"; until: number } | null;
}

export function priceNow(offer: Offer, showDeal: Deal | null, now: number): PriceNow {
  const deal = showDeal?.offer === offer.id ? showDeal : null;
  const starts = toMs(deal?.starts_at);
  const ends = toMs(deal?.ends_at);
  const plain: PriceNow = { price: offer.price, after: null, reference: offer.reference_price ?? null, deal: null };
  if (!deal || starts === null || ends === null || now >= ends) return plain;
  if (now < starts) return { ...plain, deal: { phase: "soon", until: starts } };
  const after = offer.price.amount > deal.price.amount ? offer.price : null;
  return { price: deal.price, after, reference: deal.reference_price ?? plain.reference, deal: { phase: "on", until: ends } };
}

/** How much lower the price is than the lowest of the last 30 days, in whole percent: never more than it is. */
export function reducedPercent(now: PriceNow): number | null {
  if (!now.reference || now.reference.currency !== now.price.currency) return null;
  const percent = Math.floor(((now.reference.amount - now.price.amount) * 100) / now.reference.amount);
  return percent > 0 ? percent : null;
}

/** Part of the stock bar that is filled, 0 to 1. */
export function stockShare(offer: Offer): number {
  if (offer.left === null) return 1;
  const full = offer.quantity ?? FULL_BAR_PIECES;
  return full <= 0 ? 0 : Math.min(1, offer.left / full);
}

export const soldOut = (offer: Offer): boolean => offer.left !== null && offer.left <= 0;

/** The most one person may have. */
export const mostWished = (offer: Offer): number => Math.min(offer.per_buyer_limit ?? 10, 10);

/** The most one person may take now. */
export function mostPieces(offer: Offer): number {
  return Math.max(1, Math.min(offer.left ?? 10, mostWished(offer)));
}
