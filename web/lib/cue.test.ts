import { describe, expect, test } from "vitest";
import { behindLiveMs, dueCues, waitsForPicture } from "./cue";

const cue = (type: string, at: number, arrivedMs = 0) => ({ event: { type, at }, arrivedMs });

describe("a card", () => {
  test("appears with its picture, whoever watches how late", () => {
    const cues = [cue("pins", 1_005_000)];
    expect(dueCues(cues, { timeS: 4.9, epochMs: 1_000_000 }, 100).due).toEqual([]);
    expect(dueCues(cues, { timeS: 5, epochMs: 1_000_000 }, 100).due).toHaveLength(1);
  });

  test("never overtakes an earlier one", () => {
    const { due, wait } = dueCues([cue("pins", 1_005_000), cue("deal", 1_001_000)], { timeS: 2, epochMs: 1_000_000 }, 100);
    expect([due, wait.length]).toEqual([[], 2]);
  });

  test("does not wait without a picture, nor for a picture that does not come", () => {
    expect(dueCues([cue("pins", 1_005_000)], { timeS: null, epochMs: 1_000_000 }, 100).due).toHaveLength(1);
    expect(dueCues([cue("pins", 1_005_000, 0)], { timeS: 1, epochMs: 1_000_000 }, 6001).due).toHaveLength(1);
  });

  test("is all that waits: stock and orders are shown at once", () => {
    expect(["pins", "deal", "rundown", "stock", "order", "chat"].map((type) => waitsForPicture({ type }))).toEqual([true, true, true, false, false, false]);
  });
});

describe("the delay shown", () => {
  test("is the server's time less the picture's, and nothing when that is nonsense", () => {
    expect(behindLiveMs({ timeS: 4.7, epochMs: 1_000_000 }, 1_005_000)).toBe(300);
    expect(behindLiveMs({ timeS: 4.7, epochMs: null }, 1_005_000)).toBeNull();
    expect(behindLiveMs({ timeS: 4.7, epochMs: 0 }, 1_005_000)).toBeNull();
  });
});
