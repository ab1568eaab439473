import { describe, expect, test } from "vitest";
import { afterClose, hubAddress, isPersonal, reading } from "./rejoin";
import type { EventsFrame } from "./wire";

const frame = (after: number, upto: number, ...types: string[]): EventsFrame => ({ kind: "events", after, upto, events: types.map((type) => ({ type })) });

describe("an events frame", () => {
  test("moves the position to what it covers, over jumping numbers", () => {
    expect(reading(frame(5, 9, "chat"), 5)).toEqual({ kind: "take", position: 9 });
    expect(reading(frame(3, 4), 8)).toEqual({ kind: "take", position: 8 });
  });

  test("that begins behind our position means something is missed", () => {
    expect(reading(frame(6, 9, "chat"), 5)).toEqual({ kind: "missed" });
  });

  test("that is personal neither moves the position nor is taken for a gap", () => {
    expect(isPersonal(frame(0, 0, "order"))).toBe(true);
    expect(reading(frame(50, 60, "order"), 5)).toEqual({ kind: "take", position: 5 });
  });

  test("with a new snapshot starts from the snapshot's position", () => {
    const welcome: EventsFrame = { kind: "events", after: 0, upto: 40, events: [{ type: "resync", seq: 41 }] };
    expect(reading(welcome, 3)).toEqual({ kind: "take", position: 41 });
  });
});

describe("after a close", () => {
  test.each([[4010, "ended"], [4000, "bye"], [4003, "refused"]])("%i stops: %s", (code, why) => {
    expect(afterClose(code, 0, 0)).toEqual({ kind: "stop", why });
  });

  test("slow and moved viewers come back at once, the second time more slowly", () => {
    for (const code of [4008, 4011]) {
      const [first, later] = [afterClose(code, 0, 0.99), afterClose(code, 4, 0.99)];
      expect(first.kind === "rejoin" && first.waitMs).toBeLessThanOrEqual(300);
      expect(later.kind === "rejoin" && later.waitMs).toBeGreaterThan(2000);
    }
  });

  test("waiting grows up to a quarter of a minute and is spread", () => {
    expect(afterClose(1006, 30, 0)).toEqual({ kind: "rejoin", waitMs: 7500 });
    expect(afterClose(1006, 30, 0.5)).toEqual({ kind: "rejoin", waitMs: 11250 });
  });

  test("viewers of a hub that is gone without a word wait as long as it had named, others do not", () => {
    expect(afterClose(1006, 0, 0, 2500)).toEqual({ kind: "rejoin", waitMs: 2650 });
    expect(afterClose(4011, 0, 0, 2500)).toEqual({ kind: "rejoin", waitMs: 150 });
    expect(afterClose(1006, 1, 0, 2500)).toEqual({ kind: "rejoin", waitMs: 300 });
  });

  test("a crowded hub is left alone for five seconds at least", () => {
    const next = afterClose(4429, 0, 0);
    expect(next.kind === "rejoin" && next.waitMs).toBeGreaterThanOrEqual(5000);
  });
});

describe("the hub's address", () => {
  test("names position and epoch only when coming back", () => {
    expect(hubAddress("ws://h:1/", "s", "t+/", null, true)).toBe("ws://h:1/v1/shows/s?ticket=t%2B%2F");
    expect(hubAddress("ws://h:1", "s", "t", { seq: 7, epoch: "e" }, false)).toBe("ws://h:1/v1/shows/s?ticket=t&after=7&epoch=e&media=0");
    expect(hubAddress("ws://h:1", "s", "t", { seq: 7, epoch: null }, true)).toBe("ws://h:1/v1/shows/s?ticket=t");
  });
});
