/** The server's clock as this page knows it: every countdown is drawn from it, never from the device's own. */
import { signal } from "@preact/signals-core";

const TICK_MS = 250;

const offsetMs = signal(0);
const tick = signal(Date.now());
let ticking = false;

/** An answer to a question that took `roundTripMs`, of which it was half on its way back, and then lay here for `heldMs`. */
export function setServerTime(atMs: number, roundTripMs = 0, heldMs = 0): void {
  offsetMs.value = atMs + roundTripMs / 2 + heldMs - Date.now();
}

/** Nothing arrives before it was said: what was under way the shortest tells the time best. */
export function heardServerTime(atMs: number): void {
  offsetMs.value = Math.max(offsetMs.value, atMs - Date.now());
}

export const serverNow = (): number => Date.now() + offsetMs.peek();

/** The server's time, as a signal: whoever reads it while rendering is drawn anew four times a second. */
export function tickingNow(): number {
  if (!ticking) {
    ticking = true;
    setInterval(() => { tick.value = Date.now(); }, TICK_MS);
  }
  return tick.value + offsetMs.value;
}
