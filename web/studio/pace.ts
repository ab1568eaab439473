/** How fast to send and when to try again. Pure. */

export const MAX_BITRATE = 2_500_000;
export const START_BITRATE = 1_500_000;
const MIN_BITRATE = 250_000;
const FULL_MS = 250;
const JAMMED_MS = 800;
const CALM_MS = 4000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;

/** Twice as long each time: a studio that restarts is not stormed, a short hole in the line costs half a second. */
export const retryMs = (attempt: number): number => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);

/** `skip`: the line is jammed, and pictures that are not encoded cost nothing. */
export interface Pace { bitrate: number; skip: boolean; calmSinceMs: number }

export const firstPace = (nowMs: number): Pace => ({ bitrate: START_BITRATE, skip: false, calmSinceMs: nowMs });

/** What waits in the socket says how thin the line is: TCP loses nothing, it only gets late. */
export function nextPace(pace: Pace, waitingBytes: number, nowMs: number): Pace {
  const waitingMs = (waitingBytes * 8000) / pace.bitrate;
  if (waitingMs > FULL_MS) {
    return { bitrate: Math.max(MIN_BITRATE, Math.round(pace.bitrate * 0.75)), skip: waitingMs > JAMMED_MS || pace.skip, calmSinceMs: nowMs };
  }
  if (pace.skip || nowMs - pace.calmSinceMs < CALM_MS) return { ...pace, skip: false };
  return { bitrate: Math.min(MAX_BITRATE, Math.round(pace.bitrate * 1.25)), skip: false, calmSinceMs: nowMs };
}
