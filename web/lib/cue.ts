/** Events that belong to a picture wait until that picture is shown (contract: `media_at`). Pure. */
import type { HubEvent } from "./shapes";

/** A card never waits longer than this, whatever the player does. */
const LONGEST_WAIT_MS = 6000;

export interface Cue { event: HubEvent; arrivedMs: number }

/** `media_at` is milliseconds of media time; without a picture there is nothing to wait for. */
export function isDue(cue: Cue, mediaTimeS: number | null, nowMs: number): boolean {
  const at = cue.event.media_at;
  if (typeof at !== "number" || mediaTimeS === null) return true;
  return mediaTimeS * 1000 >= at || nowMs - cue.arrivedMs > LONGEST_WAIT_MS;
}

/** Takes what is due, in order: a later cue never overtakes one that still waits. */
export function dueCues(cues: readonly Cue[], mediaTimeS: number | null, nowMs: number): { due: HubEvent[]; wait: Cue[] } {
  const firstWaiting = cues.findIndex((cue) => !isDue(cue, mediaTimeS, nowMs));
  const split = firstWaiting === -1 ? cues.length : firstWaiting;
  return { due: cues.slice(0, split).map((cue) => cue.event), wait: cues.slice(split) };
}

/** How far the picture is behind the studio: the server's clock against the media time shown. */
export function behindLiveMs(broadcastEpochMs: number | null, mediaTimeS: number | null, nowMs: number): number | null {
  if (broadcastEpochMs === null || mediaTimeS === null) return null;
  const behind = nowMs - broadcastEpochMs - mediaTimeS * 1000;
  return behind >= -500 && behind < 120_000 ? Math.max(0, behind) : null;
}
