/** How the picture stays close to live: pure decisions from what is buffered and where we are. */

export type Range = readonly [start: number, end: number];

export interface Playhead {
  /** Seconds of media time. */
  time: number;
  ranges: readonly Range[];
  /** Seconds we want to stay behind the newest buffered picture. */
  target: number;
  rate: number;
  /** How long the picture has stood still waiting for data, 0 while it plays or seeks. */
  stuckMs: number;
}

export type Move = { kind: "stay" } | { kind: "seek"; to: number } | { kind: "rate"; rate: number };

/** With the longest target still less than two seconds behind; catching up on a second takes four at the highest speed. */
const FAR_LATE_S = 1;
/** Chromium wants twice as much sound after each underrun before it goes on, 200 ms to 3 s; a seek makes it forget that. */
const STUCK_MS = 500;
const GOES_ON_WITH_S = 0.25;
const AT_END_S = 0.06;
const INTO_RANGE_S = 0.01;
/** How much faster when how late: pitch is kept, and a fifth of a second is caught up before anyone hears it. */
const SPEEDS: readonly (readonly [lateS: number, rate: number])[] = [[0.5, 1.25], [0.2, 1.15], [0.06, 1.06]];
const LAST_SPEED = 1.06;

export const FIRST_TARGET_S = 0.1;
const LONGEST_TARGET_S = 0.8;
/** What an even line needs: the picture that is shown, half of one until the next is here, and time to decode it. */
const EVEN_LINE_S = 0.08;
/** A buffer may run down to this: one picture, and what a fragment declares beyond its own. */
const SPARE_S = 0.05;
const SHORTEST_CALM_MS = 4000;
const LONGEST_CALM_MS = 32_000;

/** Jump over gaps first, then seek when far behind or stuck, then bend the speed. */
export function nextMove(head: Playhead): Move {
  const last = head.ranges.at(-1);
  if (!last) return { kind: "stay" };
  const gap = overGap(head);
  if (gap !== null) return { kind: "seek", to: gap };
  const behind = last[1] - head.time;
  if (behind > head.target + FAR_LATE_S) return { kind: "seek", to: Math.max(last[0] + INTO_RANGE_S, last[1] - head.target) };
  const goesOnWith = Math.max(head.target, GOES_ON_WITH_S);
  if (head.stuckMs > STUCK_MS && behind > goesOnWith) return { kind: "seek", to: Math.max(last[0] + INTO_RANGE_S, last[1] - goesOnWith) };
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

/** Catch up in steps, then hold: the way back to 1 lies at the target, not where speeding up began, so it does not flutter. */
function rateFor(behind: number, { target, rate }: Playhead): number {
  const late = behind - target;
  const step = SPEEDS.find(([lateS]) => late > lateS);
  if (step) return step[1];
  if (rate > 1 && late > 0) return LAST_SPEED;
  return behind < target * 0.35 ? 0.97 : 1;
}

/** How much buffer we ask for, and what has been learned about how much is needed. */
export interface Patience {
  target: number;
  calmSince: number;
  stalledAt: number;
  /** How long it must have been calm before buffer is given back. */
  calmForMs: number;
  /** The smallest buffer seen since `calmSince`. */
  lowest: number;
}

export const atFirst = (nowMs: number): Patience =>
  ({ target: FIRST_TARGET_S, calmSince: nowMs, stalledAt: nowMs, calmForMs: SHORTEST_CALM_MS, lowest: Infinity });

/** How many of the pictures a buffer is made for: the rest are one bad moment, which stalls and their patience see to. */
export const JITTER_SHARE = 0.95;

/** The buffer that pictures need which come unevenly by so much; asked for before it has to be learned by a stall. */
export const neededFor = (jitterMs: number | null): number =>
  Math.min(LONGEST_TARGET_S, Math.max(FIRST_TARGET_S, EVEN_LINE_S + (jitterMs ?? 0) / 1000));

/** A stall asks for more buffer, and for a longer calm before it is tried with less again; stalls in a row are one bad moment. */
export function afterStall({ target, stalledAt, calmForMs }: Patience, nowMs: number): Patience {
  const again = nowMs - stalledAt >= SHORTEST_CALM_MS;
  return {
    target: Math.min(LONGEST_TARGET_S, target * 1.5), calmSince: nowMs, stalledAt: nowMs,
    calmForMs: again ? Math.min(LONGEST_CALM_MS, calmForMs * 2) : calmForMs, lowest: Infinity,
  };
}

/** What the buffer never ran down to in a calm while is given back at once: one bad moment must not cost a minute of delay. */
export function afterLook(patience: Patience, behind: number, needed: number, nowMs: number): Patience {
  const lowest = Math.min(patience.lowest, behind), target = Math.max(needed, patience.target);
  if (nowMs - patience.calmSince < patience.calmForMs) return { ...patience, target, lowest };
  const atBest = target === needed;
  return {
    ...patience, target: Math.max(needed, target - Math.max(0, lowest - SPARE_S)), calmSince: nowMs,
    calmForMs: atBest ? Math.max(SHORTEST_CALM_MS, patience.calmForMs / 2) : patience.calmForMs, lowest: Infinity,
  };
}

/** One track stopped while the other goes on: waiting for it would freeze the picture for good. */
export function starving(tracks: { video: number | null; audio: number | null }): boolean {
  return tracks.video !== null && tracks.audio !== null && tracks.video - tracks.audio > 3;
}
