/** What was on air at a place of a recording. Pure; every `_s` is a place in it. */
import type { Chapter, Replay, Thumbnail } from "../lib/shapes";

const STEP_S = 5;

/** What the host held up then: the last pins told so far. */
export function pinsAt({ events }: Pick<Replay, "events">, timeS: number): string[] {
  return events.filter(({ type, at_s }) => type === "pins" && at_s <= timeS).at(-1)?.pins ?? [];
}

/** The flash deal that ran then: told as what it was, never as one that can be had. */
export function dealAt({ chapters }: Pick<Replay, "chapters">, offer: string, timeS: number): Chapter | null {
  return chapters.find((each) => each.kind === "deal" && each.offer === offer && each.at_s <= timeS && timeS < each.until_s) ?? null;
}

/** The newest chapter that had begun and had not ended: what the list marks as now. */
export function chapterAt(chapters: readonly Chapter[], timeS: number): number {
  return chapters.findLastIndex(({ at_s, until_s }) => at_s <= timeS && timeS < until_s);
}

/** Where a chapter lies on the bar, as shares of the whole. */
export function markOf({ at_s, until_s }: Chapter, durationS: number): { left: number; width: number } {
  if (durationS <= 0) return { left: 0, width: 0 };
  const left = Math.min(1, Math.max(0, at_s / durationS));
  return { left, width: Math.min(1, until_s / durationS) - left };
}

/** The picture of a place: the newest one drawn by then. */
export const thumbnailAt = (thumbnails: readonly Thumbnail[], timeS: number): Thumbnail | undefined =>
  thumbnails.findLast(({ at_s }) => at_s <= timeS) ?? thumbnails[0];

/** Where a key leads on the bar: arrows some seconds on, Page Up and Down from chapter to chapter; null: not ours. */
export function placeByKey(key: string, timeS: number, { chapters, duration_s }: Pick<Replay, "chapters" | "duration_s">): number | null {
  const to = toKey(key, timeS, [0, ...chapters.map(({ at_s }) => at_s), duration_s].sort((one, other) => one - other));
  return to === undefined ? null : Math.min(duration_s, Math.max(0, to));
}

function toKey(key: string, timeS: number, places: number[]): number | undefined {
  switch (key) {
    case "ArrowRight": case "ArrowUp": return timeS + STEP_S;
    case "ArrowLeft": case "ArrowDown": return timeS - STEP_S;
    case "PageUp": return places.find((at) => at > timeS + 0.5);
    case "PageDown": return places.findLast((at) => at < timeS - 0.5);
    default: return undefined;
  }
}
