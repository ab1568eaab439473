import { expect, test } from "vitest";
import type { Show } from "../lib/shapes";
import { comingUp, featured, ranked } from "./programme";

const show = (id: string, change: Partial<Show> = {}): Show => ({ id, state: "live", viewers: 0, picture: false, started_at: null, starts_at: null, ...change }) as Show;

test("a host on air comes before a fuller show without a picture, then viewers count, then the newest", () => {
  const shows = [
    show("bare", { viewers: 90, started_at: "2026-01-01T12:00:00Z" }), show("old", { picture: true, viewers: 3, started_at: "2026-01-01T10:00:00Z" }),
    show("new", { picture: true, viewers: 3, started_at: "2026-01-01T11:00:00Z" }), show("full", { picture: true, viewers: 9 }), show("pause", { picture: true, viewers: 99, state: "paused" }),
  ];
  expect(ranked(shows).map(({ id }) => id)).toEqual(["full", "new", "old", "pause", "bare"]);
});

test("the large tile stays while its picture does", () => {
  const shows = [show("a", { picture: true, viewers: 1 }), show("b", { picture: true, viewers: 2 })];
  expect([featured(shows, null)?.id, featured(shows, "a")?.id]).toEqual(["b", "a"]);
  expect(featured([show("a", { viewers: 5 }), shows[1] as Show], "a")?.id).toBe("b");
  expect(featured([], "a")).toBeUndefined();
});

test("only what has been announced is coming up, the soonest first", () => {
  const at = (hour: number): Partial<Show> => ({ state: "draft", starts_at: `2026-01-01T${String(hour).padStart(2, "0")}:00:00Z` });
  const shows = [show("late", at(20)), show("draft", { state: "draft" }), show("soon", at(13)), show("due", at(11)), show("missed", at(1))];
  expect(comingUp(shows, Date.parse("2026-01-01T12:00:00Z")).map(({ id }) => id)).toEqual(["due", "soon", "late"]);
});
