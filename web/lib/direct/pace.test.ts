import { describe, expect, test } from "vitest";
import { Pace } from "./pace";

/** When pictures of 30/s are shown whose way takes `delayOf` ms each. */
function shown(count: number, delayOf: (n: number) => number): { atMs: number; timeMs: number }[] {
  const pace = new Pace();
  return Array.from({ length: count }, (_, n) => {
    const timeMs = (n * 1000) / 30, nowMs = 5000 + timeMs + delayOf(n);
    return { timeMs, atMs: nowMs + pace.waitMs(timeMs, nowMs) };
  });
}

describe("the beat of the direct way", () => {
  test("an even line waits for nothing", () => {
    expect(shown(60, () => 20).every(({ atMs, timeMs }) => Math.abs(atMs - timeMs - 5020) < 0.001)).toBe(true);
  });

  test("an uneven line waits for half of its pictures, so that these come evenly", () => {
    const late = shown(300, (n) => 20 + ((n * 7) % 10) * 2).slice(60).map(({ atMs, timeMs }) => atMs - timeMs - 5000);
    expect(late.filter((each) => each > 27.999 && each < 30.001).length).toBeGreaterThan(late.length / 2);
    expect(Math.max(...late)).toBeLessThan(39);
  });

  test("never waits long, and learns another line at once", () => {
    expect(Math.max(...shown(300, (n) => (n % 2) * 900).map(({ atMs, timeMs }) => atMs - timeMs - 5000))).toBeLessThan(900.001);
    const moved = shown(300, (n) => (n < 150 ? 20 : 5020)).slice(151);
    expect(moved.every(({ atMs, timeMs }) => Math.abs(atMs - timeMs - 10_020) < 0.001)).toBe(true);
  });
});
