import { describe, expect, test } from "vitest";
import { Arrivals } from "./arrivals";
import { afterLook, afterStall, atFirst, FIRST_TARGET_S, JITTER_SHARE, neededFor, nextMove, starving, type Patience, type Playhead } from "./playout";

const head = (change: Partial<Playhead>): Playhead => ({ time: 10, ranges: [[5, 10.1]], target: 0.1, rate: 1, stuckMs: 0, ...change });

describe("the picture", () => {
  test("waits while nothing is buffered", () => expect(nextMove(head({ ranges: [] }))).toEqual({ kind: "stay" }));

  test("begins near live, not at the key frame a second ago", () => {
    expect(nextMove(head({ time: 0, ranges: [[100, 101.2]] }))).toEqual({ kind: "seek", to: 101.10000000000001 });
    expect(nextMove(head({ time: 0, ranges: [[100, 100.05]] }))).toEqual({ kind: "seek", to: 100.01 });
  });

  test("jumps at once over a gap when its range is played out", () => {
    expect(nextMove(head({ time: 7.98, ranges: [[5, 8], [9, 9.3]] }))).toEqual({ kind: "seek", to: 9.01 });
    expect(nextMove(head({ time: 8.4, ranges: [[5, 8], [9, 9.3]] }))).toEqual({ kind: "seek", to: 9.01 });
  });

  test("does not jump while its own range still plays", () => {
    expect(nextMove(head({ time: 7.8, ranges: [[5, 8], [8.2, 8.6]] })).kind).not.toBe("seek");
  });

  test("stays at the end of the last range", () => expect(nextMove(head({ time: 10.1 })).kind).not.toBe("seek"));

  test("seeks once a second later than it should be, two behind at the very most, and never before the range", () => {
    expect(nextMove(head({ ranges: [[5, 11.05]] })).kind).toBe("rate");
    expect(nextMove(head({ ranges: [[5, 11.15]] })).kind).toBe("seek");
    expect(nextMove(head({ ranges: [[5, 11.85]], target: 0.8 })).kind).toBe("seek");
    expect(nextMove(head({ time: 6, ranges: [[5, 10]] }))).toEqual({ kind: "seek", to: 9.9 });
    expect(nextMove(head({ time: 6, ranges: [[5, 7], [9.95, 10]] }))).toEqual({ kind: "seek", to: 9.959999999999999 });
  });

  test("is freed by a seek when it stands still with enough to play", () => {
    expect(nextMove(head({ ranges: [[5, 10.4]], stuckMs: 400 })).kind).not.toBe("seek");
    expect(nextMove(head({ ranges: [[5, 10.4]], stuckMs: 600 }))).toEqual({ kind: "seek", to: 10.15 });
    expect(nextMove(head({ ranges: [[5, 10.2]], stuckMs: 600 })).kind).not.toBe("seek");
  });

  test("runs the faster the later it is, and slows when it runs dry", () => {
    expect(nextMove(head({ ranges: [[5, 10.2]] }))).toEqual({ kind: "rate", rate: 1.06 });
    expect(nextMove(head({ ranges: [[5, 10.4]] }))).toEqual({ kind: "rate", rate: 1.15 });
    expect(nextMove(head({ ranges: [[5, 10.9]] }))).toEqual({ kind: "rate", rate: 1.25 });
    expect(nextMove(head({ ranges: [[5, 10.2]], rate: 1.25 }))).toEqual({ kind: "rate", rate: 1.06 });
    expect(nextMove(head({ ranges: [[5, 10.08]], time: 10, target: 0.3 }))).toEqual({ kind: "rate", rate: 0.97 });
  });

  test("catches up to the target before it slows down, so that it does not flutter", () => {
    expect(nextMove(head({ ranges: [[5, 10.12]], rate: 1.06 }))).toEqual({ kind: "stay" });
    expect(nextMove(head({ ranges: [[5, 10.09]], rate: 1.06 }))).toEqual({ kind: "rate", rate: 1 });
  });
});

describe("patience", () => {
  const calm = (patience: Patience, behind: number, fromMs: number, forMs: number): Patience => {
    let now = patience;
    for (let at = fromMs; at <= fromMs + forMs; at += 100) now = afterLook(now, behind, FIRST_TARGET_S, at);
    return now;
  };

  test("grows with each stall, up to its limit", () => {
    expect(afterStall(atFirst(0), 1).target).toBeCloseTo(0.15);
    let patience = atFirst(0);
    for (let stall = 1; stall < 20; stall += 1) patience = afterStall(patience, stall);
    expect(patience.target).toBe(0.8);
  });

  test("gives back in one step what a calm while did not need", () => {
    let patience = atFirst(0);
    for (let stall = 1; stall <= 3; stall += 1) patience = afterStall(patience, stall);
    expect(patience.target).toBeGreaterThan(0.3);
    expect(calm(patience, 0.3, 100, 3800).target).toBeGreaterThan(0.3);
    expect(calm(patience, 0.3, 100, 4000).target).toBe(FIRST_TARGET_S);
  });

  test("keeps what was needed, without a stall to say so", () => {
    const patience = afterLook(afterStall(afterStall(atFirst(0), 1), 2), 0.06, FIRST_TARGET_S, 3);
    expect(calm(patience, 0.22, 100, 4000).target).toBeGreaterThan(0.2);
  });

  test("trusts a line less the oftener it has failed, and more again when nothing happens", () => {
    const failed = afterStall(afterStall(atFirst(0), 5000), 10_000);
    expect(failed.calmForMs).toBe(16_000);
    expect(afterStall(failed, 10_500).calmForMs).toBe(16_000); // the same bad moment
    expect(calm(failed, 0.3, 10_000, 60_000).calmForMs).toBeLessThan(16_000);
  });
});

/** An evening of 30 pictures a second: what a viewer sees whose line delays each of them by `delayOf`. */
function evening(seconds: number, delayOf: (atS: number) => number, measuring = true) {
  const STEP_S = 0.01, LOOK_STEPS = 3;
  let patience = atFirst(0), rate = 1, time = 0, end = 0, stalled = false, stalls = 0, sent = 0;
  let arrivals: { at: number; end: number }[] = [];
  const came = new Arrivals();
  const late: number[] = [];
  for (let step = 1; step < seconds / STEP_S; step += 1) {
    const now = step * STEP_S;
    for (; sent / 30 <= now; sent += 1) arrivals.push({ at: sent / 30 + delayOf(sent / 30), end: (sent + 1) / 30 + 0.04 });
    while (arrivals[0] && arrivals[0].at <= now) { end = (arrivals.shift() as { end: number }).end; came.came(end * 1000, now * 1000); }
    arrivals = arrivals.sort((one, other) => one.end - other.end);
    if (!stalled) time = Math.min(end, time + STEP_S * rate);
    if (!stalled && end - time < 0.02 && end > 0) { stalled = true; stalls += 1; patience = afterStall(patience, now * 1000); }
    else if (stalled && end - time > 0.05) stalled = false;
    if (step % LOOK_STEPS === 0 && end > 0) {
      patience = afterLook(patience, end - time, neededFor(measuring ? came.lateMs(JITTER_SHARE) : null), now * 1000);
      const move = nextMove({ time, ranges: [[0, end]], target: patience.target, rate, stuckMs: 0 });
      if (move.kind === "seek") time = move.to;
      else if (move.kind === "rate") rate = move.rate;
    }
    if (now > 4) late.push(now - time);
  }
  late.sort((one, other) => one - other);
  return { stalls, p50: late[Math.floor(late.length / 2)] as number, p95: late[Math.floor(late.length * 0.95)] as number };
}

describe("an evening", () => {
  const steady = (atS: number): number => 0.04 + 0.012 * Math.abs(Math.sin(atS * 7));
  const held = (atS: number, fromS: number, forS: number): number => (atS > fromS && atS < fromS + forS ? fromS + forS - atS : 0);

  test("on a steady line stays close and never stalls", () => {
    const seen = evening(60, steady);
    expect(seen.p95).toBeLessThan(0.1);
    expect(seen.stalls).toBe(0);
  });

  test("with three bad moments is as close as before half a minute later", () => {
    const seen = evening(90, (atS) => steady(atS) + [10, 11.5, 13].reduce((sum, fromS) => sum + held(atS, fromS, 0.5), 0));
    expect(seen.p50).toBeLessThan(0.12);
    expect(seen.p95).toBeLessThan(0.6);
    expect(seen.stalls).toBeLessThanOrEqual(3);
  });

  test("on a line that comes ever more unevenly asks for more buffer before a stall teaches it", () => {
    const uneven = (atS: number): number => 0.04 + 0.003 * atS * Math.abs(Math.sin(atS * 9));
    const seen = evening(60, uneven), blind = evening(60, uneven, false);
    expect(seen.stalls).toBeLessThan(blind.stalls);
    expect(seen.p95).toBeLessThan(0.35);
  });

  test("on a line that holds pictures back every five seconds learns to wait for them", () => {
    const seen = evening(120, (atS) => steady(atS) + held(atS % 5, 0, 0.25));
    expect(seen.stalls).toBeLessThan(6);
    expect(seen.p95).toBeLessThan(0.4);
  });

  test("never drifts: clocks that differ by one part in a hundred are made up for", () => {
    const seen = evening(120, (atS) => steady(atS) + Math.min(0.5, atS * 0.01));
    expect(seen.p95).toBeLessThan(2);
  });
});

test("a track that has stopped while the other goes on is told from a slow one", () => {
  expect(starving({ video: 20, audio: 16 })).toBe(true);
  expect(starving({ video: 20, audio: 19 })).toBe(false);
  expect(starving({ video: 20, audio: null })).toBe(false);
});
