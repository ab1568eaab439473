import { expect, test } from "vitest";
import { isAboutLine, placeAfter, type Place } from "./places";

const notice = (state: string, more: object = {}) => ({ type: "notice", about: "waitlist", offer: "of_1", state, quantity: 2, until: null, ...more });
const waiting: Place = { line: { offer: "of_1", state: "waiting", quantity: 2, place: 7, waiting: 9, until: null }, ended: null };

test("only notices about a line are the line's", () => {
  expect([notice("offered"), { type: "notice", text: "hello" }, { type: "order" }].map(isAboutLine)).toEqual([true, false, false]);
});

test("a turn comes with its pieces and its end", () => {
  const { line } = placeAfter(notice("offered", { until: "2026-11-25T20:00:00Z" }), waiting);
  expect([line.state, line.quantity, line.place, line.until]).toEqual(["offered", 2, null, "2026-11-25T20:00:00Z"]);
});

test("joining in another tab keeps the place that is known", () => {
  expect(placeAfter(notice("waiting"), waiting).line.place).toBe(7);
  expect(placeAfter(notice("waiting"), undefined).line.place).toBeNull();
});

test("what ends a place is told only when it was not one's own doing", () => {
  expect(["taken", "left", "expired", "closed"].map((state) => placeAfter(notice(state), waiting).ended)).toEqual([null, null, "expired", "closed"]);
  expect(["taken", "left", "expired", "closed"].every((state) => placeAfter(notice(state), waiting).line.state === "none")).toBe(true);
});
