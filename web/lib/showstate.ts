/** What a page knows of one show, and how each hub event changes it. Pure: state in, state out. */
import type { ChatLine, Deal, HubEvent, Offer, Segment, Show, ShowState } from "./shapes";

const CHAT_LINES_KEPT = 200;
const NOTICES_KEPT = 5;

export interface Known {
  show: Show;
  segments: Segment[];
  current: number | null;
  chat: ChatLine[];
  notices: { id: string; text: string }[];
  /** Whether the host's picture has stopped for a moment, or for good. */
  host: "here" | "away" | "gone";
  /** Own orders: newest state and version by id. */
  orders: Record<string, { state: string; version: number }>;
  /** When the pins on screen went there, for "on air since". */
  pinnedAt: number | null;
}

/** A hub's snapshot says less than the page's own GET (no addresses): what it leaves out stays. */
export function knownFrom(snapshot: Show, before?: Known): Known {
  const show: Show = { ...before?.show, ...snapshot };
  const rundown = Array.isArray(show.rundown) ? { segments: show.rundown, current: null } : show.rundown;
  return {
    show,
    segments: rundown?.segments ?? [],
    current: rundown?.current ?? null,
    chat: show.chat ?? before?.chat ?? [],
    notices: before?.notices ?? [],
    host: before?.host ?? "here",
    orders: before?.orders ?? {},
    pinnedAt: typeof show.pinned_at === "number" ? show.pinned_at : (show.pinned_at ? Date.parse(show.pinned_at) : samePins(before, show)),
  };
}

export function applied(known: Known, event: HubEvent): Known {
  switch (event.type) {
    case "welcome":
    case "resync": return isShow(event.show) ? { ...knownFrom(event.show, known), host: "here" } : known; // "away" comes again behind it
    case "show": return withShow(known, showChange(event));
    case "offer": return withOffer(known, event.offer as Offer);
    case "stock": return withStock(known, String(event.offer), event.left as number | null);
    case "pins": return { ...withShow(known, { pins: event.offers as string[] }), pinnedAt: timeOf(event) };
    case "deal": return withShow(known, { deal: (event.deal as Deal | null | undefined) ?? null });
    case "viewers": return withShow(known, { viewers: Number(event.count) });
    case "rundown": return { ...known, segments: (event.segments as Segment[] | undefined) ?? known.segments, current: (event.current as number | null | undefined) ?? null };
    case "chat": return withChat(known, event);
    case "chat_removed": return { ...known, chat: known.chat.filter((line) => line.id !== event.id) };
    case "order": return withOrder(known, String(event.id), String(event.state), Number(event.version));
    case "notice": return withNotice(known, event);
    default: return known;
  }
}

/** Orders are taken while a show is live or takes a break. */
export const isOnAir = (state: string | undefined): boolean => state === "live" || state === "paused";

export const offerOf = (known: Known, id: string | null | undefined): Offer | undefined =>
  known.show.offers.find((offer) => offer.id === id);

export const pinnedOffers = (known: Known): Offer[] =>
  known.show.pins.flatMap((id) => offerOf(known, id) ?? []);

export const isShow = (value: unknown): value is Show => typeof value === "object" && value !== null && "offers" in value;

const withShow = (known: Known, change: Partial<Show>): Known => ({ ...known, show: { ...known.show, ...change } });

function showChange(event: HubEvent): Partial<Show> {
  const { type: _type, seq: _seq, at: _at, media_at: _mediaAt, loss: _loss, show: _show, id: _id, ...fields } = event;
  const change = fields as Partial<Show>;
  if (change.state === "live" && change.started_at === undefined && event.at !== undefined) change.started_at = event.at;
  return { ...change, state: String(event.state) as ShowState };
}

function withOffer(known: Known, offer: Offer): Known {
  const there = known.show.offers.some((each) => each.id === offer.id);
  const offers = there
    ? known.show.offers.map((each) => (each.id === offer.id ? { ...each, ...offer } : each))
    : [...known.show.offers, offer];
  return withShow(known, { offers });
}

function withStock(known: Known, id: string, left: number | null): Known {
  return withShow(known, { offers: known.show.offers.map((each) => (each.id === id ? { ...each, left } : each)) });
}

function withChat(known: Known, event: HubEvent): Known {
  if (known.chat.some((line) => line.id === event.id)) return known;
  const line: ChatLine = { id: String(event.id), name: String(event.name ?? ""), text: String(event.text ?? "") };
  if (event.at !== undefined) line.at = event.at;
  return { ...known, chat: [...known.chat, line].slice(-CHAT_LINES_KEPT) };
}

/** A personal event may come late or twice: an older version never overwrites a newer one. */
function withOrder(known: Known, id: string, state: string, version: number): Known {
  const before = known.orders[id];
  if (before && before.version >= version) return known;
  return { ...known, orders: { ...known.orders, [id]: { state, version } } };
}

function withNotice(known: Known, event: HubEvent): Known {
  if (event.about === "host") return { ...known, host: event.host === "away" || event.host === "gone" ? event.host : "here" };
  const notice = { id: String(event.seq ?? `${known.notices.length}-${String(event.text)}`), text: String(event.text) };
  return { ...known, notices: [...known.notices, notice].slice(-NOTICES_KEPT) };
}

function timeOf(event: HubEvent): number | null {
  if (typeof event.at === "number") return event.at;
  return event.at ? Date.parse(event.at) : null;
}

function samePins(before: Known | undefined, show: Show): number | null {
  return before && before.show.pins.join() === show.pins.join() ? before.pinnedAt : null;
}
