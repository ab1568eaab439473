/** How the picture stays close to live: pure decisions from what is buffered and where we are. */

export type Range = readonly [start: number, end: number];

export interface Playhead {
  /** Seconds of media time. */
  time: number;
  ranges: readonly Range[];
  /** Seconds we want to stay behind the newest buffered picture. */
  target: number;
  rate: number;
}

export type Move = { kind: "stay" } | { kind: "seek"; to: number } | { kind: "rate"; rate: number };

const FAR_BEHIND_S = 2;
const AT_END_S = 0.06;
const INTO_RANGE_S = 0.01;
const LATE_S = 0.06;
const VERY_LATE_S = 0.4;
const FAR_LATE_S = 0.9;

export const FIRST_TARGET_S = 0.1;
const LONGEST_TARGET_S = 0.8;
const CALM_AFTER_MS = 20_000;

/** Jump over gaps first, then seek when far behind, then bend the speed by a few percent. */
export function nextMove(head: Playhead): Move {
  const last = head.ranges.at(-1);
  if (!last) return { kind: "stay" };
  const gap = overGap(head);
  if (gap !== null) return { kind: "seek", to: gap };
  const behind = last[1] - head.time;
  if (behind > FAR_BEHIND_S) return { kind: "seek", to: Math.max(last[0] + INTO_RANGE_S, last[1] - head.target) };
  const rate = rateFor(behind, head);
  return rate === head.rate ? { kind: "stay" } : { kind: "rate", rate };
}

/** Where to continue when the picture stands before, between or at the end of what is buffered. */
function overGap({ time, ranges, target }: Playhead): number | null {
  const here = ranges.find(([start, end]) => time >= start - 0.001 && time <= end);
  if (here && here[1] - time > AT_END_S) return null;
  if (!ranges.some(([start]) => start <= time)) return joining(ranges, target);
  const next = ranges.find(([start]) => start > time);
  return next ? next[0] + INTO_RANGE_S : null;
}

/** The first pictures reach back to a key frame: they are there to be decoded, not to be watched late. */
function joining(ranges: readonly Range[], target: number): number | null {
  const last = ranges.at(-1);
  return last ? Math.max(last[0] + INTO_RANGE_S, last[1] - target) : null;
}

/** Catch up (pitch is kept, so 1.25 for a few seconds is not heard as such), then hold: the way back to 1 lies at the target, not where speeding up began, so it does not flutter. */
function rateFor(behind: number, { target, rate }: Playhead): number {
  if (behind > target + FAR_LATE_S) return 1.25;
  if (behind > target + VERY_LATE_S) return Math.max(rate, 1.1);
  if (behind > target + LATE_S) return rate > 1.1 ? 1.1 : Math.max(rate, 1.04);
  if (rate > 1 && behind > target) return rate;
  return behind < target * 0.35 ? 0.97 : 1;
}

export interface Patience { target: number; calmSince: number }

/** Every stall asks for a little more buffer; 20 s without one give a little back. */
export function afterStall(patience: Patience, nowMs: number): Patience {
  return { target: Math.min(LONGEST_TARGET_S, patience.target * 1.5), calmSince: nowMs };
}

export function afterCalm(patience: Patience, nowMs: number): Patience {
  if (nowMs - patience.calmSince < CALM_AFTER_MS) return patience;
  return { target: Math.max(FIRST_TARGET_S, patience.target * 0.85), calmSince: nowMs };
}

/** One track stopped while the other goes on: waiting for it would freeze the picture for good. */
export function starving(tracks: { video: number | null; audio: number | null }): boolean {
  return tracks.video !== null && tracks.audio !== null && tracks.video - tracks.audio > 3;
}
