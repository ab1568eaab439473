import { expect, test } from "vitest";
import type { Chapter } from "../lib/shapes";
import { chapterAt, dealAt, markOf, pinsAt, placeByKey, thumbnailAt } from "./replaying";

const chapter = (change: Partial<Chapter>): Chapter =>
  ({ kind: "pin", offer: "of_pan", title: "Pan", image: "", price: { amount: 1999, currency: "EUR" }, at_s: 10, until_s: 60, expired: false, ...change });

const pan = chapter({}), deal = chapter({ kind: "deal", at_s: 30, until_s: 45, expired: true }), pot = chapter({ offer: "of_pot", title: "Pot", at_s: 60, until_s: 90 });
const chapters = [pan, deal, pot];
const events = [
  { type: "offer", at_s: 0 }, { type: "pins", at_s: 10, pins: ["of_pan"] }, { type: "pins", at_s: 60, pins: ["of_pot", "of_pan"] }, { type: "pins", at_s: 90, pins: [] },
];

test("the card is what the host held up at that place, forwards and backwards", () => {
  expect([95, 61, 59, 9].map((timeS) => pinsAt({ events }, timeS))).toEqual([[], ["of_pot", "of_pan"], ["of_pan"], []]);
});

test("a deal is shown where it ran, and for its own offer", () => {
  expect(dealAt({ chapters }, "of_pan", 31)).toBe(deal);
  expect([dealAt({ chapters }, "of_pan", 45), dealAt({ chapters }, "of_pot", 31)]).toEqual([null, null]);
});

test("the chapter that plays is the newest one that has begun", () => {
  expect([5, 15, 31, 50, 60, 95].map((timeS) => chapterAt(chapters, timeS))).toEqual([-1, 0, 1, 0, 2, -1]);
});

test("marks stay on the bar", () => {
  expect(markOf(pan, 100)).toEqual({ left: 0.1, width: 0.5 });
  expect(markOf(chapter({ at_s: 80, until_s: 200 }), 100).width).toBeCloseTo(0.2);
  expect(markOf(pan, 0)).toEqual({ left: 0, width: 0 });
});

test("a place is shown by the newest picture drawn by then", () => {
  const thumbnails = [0, 10, 20].map((at_s) => ({ at_s, url: `${at_s}.jpg` }));
  expect([0, 9.9, 10, 99].map((timeS) => thumbnailAt(thumbnails, timeS)?.url)).toEqual(["0.jpg", "0.jpg", "10.jpg", "20.jpg"]);
  expect(thumbnailAt([], 5)).toBeUndefined();
});

test("keys lead some seconds on, from chapter to chapter, and never off the bar", () => {
  const recording = { chapters, duration_s: 100 };
  const by = (key: string, timeS: number) => placeByKey(key, timeS, recording);
  expect([by("ArrowRight", 20), by("ArrowLeft", 20), by("ArrowLeft", 2), by("ArrowRight", 98)]).toEqual([25, 15, 0, 100]);
  expect([by("PageUp", 0), by("PageUp", 10), by("PageUp", 70), by("PageUp", 100)]).toEqual([10, 30, 100, null]);
  expect([by("PageDown", 50), by("PageDown", 10.2), by("PageDown", 0)]).toEqual([30, 0, null]);
  expect([by("Home", 50), by("Tab", 50)]).toEqual([null, null]); // the browser's own range knows the ends
});
