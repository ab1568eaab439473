/** What goes on air next, and what is still missing before the first picture. Pure. */
import type { Offer } from "../lib/shapes";
import type { Known } from "../lib/showstate";

const MOST_PINS = 3;

/** The newest pin comes first, for that is the card viewers see; a fourth pushes the oldest off. */
export function toggledPins(pins: readonly string[], offer: string): string[] {
  if (pins.includes(offer)) return pins.filter((pin) => pin !== offer);
  return [offer, ...pins].slice(0, MOST_PINS);
}

/** What one press of Next does: go on in the running order, or without one show the next offer. */
export type Step = { kind: "segment"; title: string } | { kind: "pins"; title: string; pins: string[] } | { kind: "none" };

export function nextStep({ segments, current, show }: Known): Step {
  if (segments.length > 0) {
    const next = segments[(current ?? -1) + 1];
    return next ? { kind: "segment", title: next.title } : { kind: "none" };
  }
  const at = show.offers.findIndex((offer) => offer.id === show.pins[0]);
  const next = show.offers[at + 1] ?? show.offers[0];
  return next && next.id !== show.pins[0] ? { kind: "pins", title: next.title, pins: [next.id] } : { kind: "none" };
}

export interface Readiness { camera: boolean; level: boolean; upload: boolean; stock: boolean; pin: boolean }

export function readiness(known: Known, camera: { picture: boolean; heard: boolean }, upload: boolean): Readiness {
  return {
    camera: camera.picture, level: camera.heard, upload,
    stock: known.show.offers.some((offer) => offer.left === null || offer.left > 0),
    pin: known.show.pins.length > 0,
  };
}

export const piecesLeft = (offers: readonly Offer[]): number => offers.reduce((sum, offer) => sum + (offer.left ?? 0), 0);

const OPEN_STATES = ["held", "awaiting_guardian", "awaiting_payment"];
const PAID_STATES = ["paid", "shipped", "completed"];

export function orderCounts(orders: Record<string, number> | undefined): { paid: number; open: number } | null {
  if (!orders) return null;
  const sum = (states: string[]): number => states.reduce((total, state) => total + (orders[state] ?? 0), 0);
  return { paid: sum(PAID_STATES), open: sum(OPEN_STATES) };
}
