import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Hearts } from "./hearts";

describe("hearts", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  test("one's own rises once: at once, not again when the hub counts it", async () => {
    const hearts = new Hearts();
    await hearts.send(() => Promise.resolve());
    expect(hearts.rising.value).toHaveLength(1);
    hearts.heard(3);
    expect(hearts.rising.value).toHaveLength(3);
  });

  test("one that was refused hides nobody else's", async () => {
    const hearts = new Hearts();
    await hearts.send(() => Promise.reject(new Error("offline")));
    hearts.heard(1);
    expect(hearts.rising.value).toHaveLength(2);
  });

  test("thousands at once are a dozen, and gone after a moment", () => {
    const hearts = new Hearts();
    hearts.heard(5_000);
    expect(hearts.rising.value).toHaveLength(12);
    vi.advanceTimersByTime(3_000);
    expect(hearts.rising.value).toEqual([]);
  });
});
