import { describe, expect, test } from "vitest";
import { afterCalm, afterStall, nextMove, starving, type Playhead } from "./playout";

const head = (change: Partial<Playhead>): Playhead => ({ time: 10, ranges: [[5, 10.1]], target: 0.1, rate: 1, ...change });

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
    expect(nextMove(head({ time: 7, ranges: [[5, 8], [8.2, 8.6]] })).kind).not.toBe("seek");
  });

  test("stays at the end of the last range", () => expect(nextMove(head({ time: 10.1 })).kind).not.toBe("seek"));

  test("seeks once more than two seconds behind, and never before the range", () => {
    expect(nextMove(head({ time: 6, ranges: [[5, 10]] }))).toEqual({ kind: "seek", to: 9.9 });
    expect(nextMove(head({ time: 6, ranges: [[5, 7], [9.95, 10]] }))).toEqual({ kind: "seek", to: 9.959999999999999 });
  });

  test("bends its speed a little when late, more when very late, and slows when it runs dry", () => {
    expect(nextMove(head({ ranges: [[5, 10.2]] }))).toEqual({ kind: "rate", rate: 1.04 });
    expect(nextMove(head({ ranges: [[5, 10.9]] }))).toEqual({ kind: "rate", rate: 1.1 });
    expect(nextMove(head({ ranges: [[5, 11.4]] }))).toEqual({ kind: "rate", rate: 1.25 });
    expect(nextMove(head({ ranges: [[5, 10.2]], rate: 1.25 }))).toEqual({ kind: "rate", rate: 1.1 });
    expect(nextMove(head({ ranges: [[5, 10.08]], time: 10, target: 0.3 }))).toEqual({ kind: "rate", rate: 0.97 });
  });

  test("catches up to the target before it slows down, so that it does not flutter", () => {
    expect(nextMove(head({ ranges: [[5, 10.12]], rate: 1.04 }))).toEqual({ kind: "stay" });
    expect(nextMove(head({ ranges: [[5, 10.09]], rate: 1.04 }))).toEqual({ kind: "rate", rate: 1 });
  });
});

describe("patience", () => {
  test("grows with each stall up to its limit and returns when it is calm", () => {
    let patience = { target: 0.1, calmSince: 0 };
    for (let i = 0; i < 20; i += 1) patience = afterStall(patience, 1000);
    expect(patience.target).toBe(0.8);
    expect(afterCalm(patience, 20_999)).toBe(patience);
    expect(afterCalm(patience, 21_000).target).toBeLessThan(0.8);
  });

  test("ends with a track that has stopped while the other goes on", () => {
    expect(starving({ video: 20, audio: 16 })).toBe(true);
    expect(starving({ video: 20, audio: 19 })).toBe(false);
    expect(starving({ video: 20, audio: null })).toBe(false);
  });
});
