/** A time as the server says it: RFC 3339, or ms since 1970. Knows no language: what asks for a ticket needs it. */
import type { Time } from "./shapes";

export function toMs(time: Time | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  const value = typeof time === "number" ? time : Date.parse(time);
  return Number.isFinite(value) ? value : null;
}
