import { describe, expect, test } from "vitest";
import type { Segment } from "../lib/shapes";
import { changedPart, lateMs, movedPart, partsOf, segmentsOf, timings, withNewPart, withoutPart } from "./order";

const segments: Segment[] = [
  { title: "Hello", offers: [], planned_s: 60, started_at: "1970-01-01T00:00:00Z" },
  { title: "Pans", offers: ["a"], planned_s: 120, started_at: "1970-01-01T00:01:30Z" },
  { title: "Pots", offers: ["b"], planned_s: 300, started_at: null },
];

describe("planned against actual", () => {
  test("a part lasts until the next begins, the running one until now", () => {
    expect(timings(segments, 1, 100_000).map(({ state, actualMs }) => [state, actualMs])).toEqual([["past", 90_000], ["now", 10_000], ["next", null]]);
    expect(timings(segments, null, 0).map(({ state }) => state)).toEqual(["next", "next", "next"]);
  });

  test("the show is late by what ran over, and early by what was saved", () => {
    expect(lateMs(timings(segments, 1, 100_000))).toBe(30_000);
    expect(lateMs(timings(segments, 1, 90_000 + 150_000))).toBe(60_000);
    expect(lateMs(timings([{ ...segments[0] as Segment, planned_s: 100 }, segments[1] as Segment], 1, 91_000))).toBe(-10_000);
  });
});

describe("the editor", () => {
  const parts = partsOf(segments);

  test("moves parts, but never in front of one that has run", () => {
    expect(movedPart(parts, 2, -1, 1).map(({ key }) => key)).toEqual([0, 2, 1]);
    expect(movedPart(parts, 1, -1, 1).map(({ key }) => key)).toEqual([0, 1, 2]);
    expect(movedPart(parts, 2, 1, 1).map(({ key }) => key)).toEqual([0, 1, 2]);
  });

  test("adds, changes and removes, and sends only what the server takes", () => {
    const more = changedPart(withNewPart(parts), 3, { title: " Finale ", minutes: "1,5", offers: ["a", "b"] });
    expect(segmentsOf(withoutPart(more, 0))).toEqual([
      { title: "Pans", offers: ["a"], planned_s: 120 }, { title: "Pots", offers: ["b"], planned_s: 300 }, { title: "Finale", offers: ["a", "b"], planned_s: 90 },
    ]);
  });

  test("sends nothing while a title is missing or a length is none", () => {
    expect(segmentsOf(withNewPart(parts))).toBeNull();
    for (const minutes of ["", "0", "x", "-1"]) expect(segmentsOf(changedPart(parts, 0, { minutes }))).toBeNull();
  });
});
