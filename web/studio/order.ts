/** The running order: how long each part took against its plan, and the editor's moves. Pure. */
import { toMs } from "../lib/time";
import type { Offer, Segment } from "../lib/shapes";

const PART_S = 300;
const MOST_TITLE = 120;

export interface Timing { state: "past" | "now" | "next"; plannedMs: number; actualMs: number | null }

/** A part lasts until the next one begins; the running one until now. */
export function timings(segments: readonly Segment[], current: number | null, nowMs: number): Timing[] {
  return segments.map((segment, place) => {
    const began = toMs(segment.started_at);
    const ended = toMs(segments[place + 1]?.started_at) ?? nowMs;
    const state = current === null || place > current ? "next" : place < current ? "past" : "now";
    return { state, plannedMs: segment.planned_s * 1000, actualMs: state === "next" || began === null ? null : Math.max(0, ended - began) };
  });
}

/** How far behind the plan the show is: what the parts so far took more than planned; a running one counts once it is over. */
export function lateMs(parts: readonly Timing[]): number {
  return parts.reduce((sum, { state, plannedMs, actualMs }) => {
    const over = (actualMs ?? plannedMs) - plannedMs;
    return sum + (state === "now" ? Math.max(0, over) : over);
  }, 0);
}

/** A part as the editor holds it; `key` stays with the row while it moves. */
export interface Part { key: number; title: string; offers: string[]; minutes: string }

export const partsOf = (segments: readonly Segment[]): Part[] =>
  segments.map(({ title, offers, planned_s }, key) => ({ key, title, offers: [...offers], minutes: String(Math.round(planned_s / 6) / 10) }));

export const partsFromOffers = (offers: readonly Offer[]): Part[] =>
  partsOf(offers.map((offer) => ({ title: offer.title.slice(0, MOST_TITLE), offers: [offer.id], planned_s: PART_S })));

export function withNewPart(parts: readonly Part[]): Part[] {
  const key = Math.max(-1, ...parts.map((part) => part.key)) + 1;
  return [...parts, { key, title: "", offers: [], minutes: String(PART_S / 60) }];
}

export const changedPart = (parts: readonly Part[], key: number, change: Partial<Part>): Part[] =>
  parts.map((part) => (part.key === key ? { ...part, ...change } : part));

export const withoutPart = (parts: readonly Part[], key: number): Part[] => parts.filter((part) => part.key !== key);

/** Up (-1) or down (1), never in front of the first `locked` parts: they have run. */
export function movedPart(parts: readonly Part[], key: number, by: -1 | 1, locked: number): Part[] {
  const from = parts.findIndex((part) => part.key === key);
  const to = from + by;
  if (from < locked || to < locked || to >= parts.length) return [...parts];
  const moved = [...parts];
  [moved[from], moved[to]] = [moved[to] as Part, moved[from] as Part];
  return moved;
}

/** What is sent; null while a part lacks its title or has a length that is none. */
export function segmentsOf(parts: readonly Part[]): Segment[] | null {
  const made = parts.map(({ title, offers, minutes }) => ({ title: title.trim().slice(0, MOST_TITLE), offers, planned_s: Math.round(Number(minutes.replace(",", ".")) * 60) }));
  return made.every(({ title, planned_s }) => title !== "" && planned_s > 0 && planned_s <= 86_400) ? made : null;
}
