/** Events that belong to a picture wait until that picture is shown (contract: `media_at`). Pure. */
import { toMs } from "./time";
import type { HubEvent } from "./shapes";

/** What a viewer sees at the same moment as the picture; everything else is shown as soon as it is known. */
const ON_THE_PICTURE = new Set(["pins", "deal", "rundown", "caption"]);

/** A card never waits longer than this, whatever the player does. */
const LONGEST_WAIT_MS = 6000;

/** Media time on screen, and the server's time when the broadcast began; null while unknown. */
export interface Picture { timeS: number | null; epochMs: number | null }

export interface Cue { event: HubEvent; arrivedMs: number }

export const waitsForPicture = (event: HubEvent): boolean => ON_THE_PICTURE.has(event.type);

/** The picture of a moment is the one whose media time is the moment's server time less the broadcast's beginning. */
export function isDue(cue: Cue, picture: Picture, nowMs: number): boolean {
  const at = toMs(cue.event.at);
  if (at === null || picture.timeS === null || picture.epochMs === null) return true;
  return picture.timeS * 1000 >= at - picture.epochMs || nowMs - cue.arrivedMs > LONGEST_WAIT_MS;
}

/** Takes what is due, in order: a later cue never overtakes one that still waits. */
export function dueCues(cues: readonly Cue[], picture: Picture, nowMs: number): { due: HubEvent[]; wait: Cue[] } {
  const firstWaiting = cues.findIndex((cue) => !isDue(cue, picture, nowMs));
  const split = firstWaiting === -1 ? cues.length : firstWaiting;
  return { due: cues.slice(0, split).map((cue) => cue.event), wait: cues.slice(split) };
}

/** How far the picture is behind the studio: the server's clock against the media time shown. */
export function behindLiveMs(picture: Picture, nowMs: number): number | null {
  if (picture.epochMs === null || picture.timeS === null) return null;
  const behind = nowMs - picture.epochMs - picture.timeS * 1000;
  return behind >= -500 && behind < 120_000 ? Math.max(0, behind) : null;
}
