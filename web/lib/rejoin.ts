/** When and how a viewer comes back to the hub, and what an events frame means for its position. Pure. */
import type { EventsFrame } from "./wire";

export interface Position { seq: number; epoch: string | number | null }

export type AfterClose =
  | { kind: "stop"; why: "ended" | "bye" | "refused" }
  | { kind: "rejoin"; waitMs: number };

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 15_000;
const CROWDED_WAIT_MS = 5_000;

/**
 * `spread` is a random number in [0, 1). `namedMs` is what the hub's welcome said a viewer waits when the hub is gone
 * without a word: each another time, so that thousands of one dead edge do not return in the same instant. A hub that
 * closes by itself has spread its viewers already.
 */
export function afterClose(code: number, attempt: number, spread: number, namedMs = 0): AfterClose {
  if (code === 4010) return { kind: "stop", why: "ended" };
  if (code === 4000) return { kind: "stop", why: "bye" };
  if (code === 4003) return { kind: "stop", why: "refused" };
  const moved = (code === 4008 || code === 4011) && attempt === 0;
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  const died = code < 4000 && attempt === 0;
  const floor = code === 4429 ? CROWDED_WAIT_MS : died ? namedMs : 0;
  return { kind: "rejoin", waitMs: floor + Math.round((moved ? FIRST_WAIT_MS : backoff) * (0.5 + spread / 2)) };
}

/** Personal events come before the public frame that covers them and do not move the position. */
export const isPersonal = (frame: EventsFrame): boolean =>
  frame.events.length > 0 && frame.events.every((event) => event.type === "order" || event.personal === true);

export type Reading = { kind: "take"; position: number } | { kind: "missed" };

/** A frame that begins behind a position we have not reached hides something: rejoin from where we are. */
export function reading(frame: EventsFrame, position: number): Reading {
  if (isPersonal(frame)) return { kind: "take", position };
  const restart = frame.events.find((event) => event.type === "welcome" || event.type === "resync");
  if (restart) return { kind: "take", position: typeof restart.seq === "number" ? restart.seq : frame.upto };
  if (frame.after > position) return { kind: "missed" };
  return { kind: "take", position: Math.max(position, frame.upto) };
}

export function hubAddress(base: string, show: string, ticket: string, position: Position | null, media: boolean): string {
  const url = new URL(`${base.replace(/\/$/, "")}/v1/shows/${encodeURIComponent(show)}`);
  url.searchParams.set("ticket", ticket);
  if (position && position.epoch !== null) {
    url.searchParams.set("after", String(position.seq));
    url.searchParams.set("epoch", String(position.epoch));
  }
  if (!media) url.searchParams.set("media", "0");
  return url.href;
}
