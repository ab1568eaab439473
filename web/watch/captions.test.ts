import { expect, test } from "vitest";
import { captionOf, stillShown } from "./captions";

const said = (text: string, more: object = {}) => ({ type: "caption", text, lang: "de", ...more });

test("a caption stays as long as it takes to read, or as its sender says, within reason", () => {
  expect(captionOf(said("Hallo"), 1000).untilMs).toBe(3000);
  expect(captionOf(said("x".repeat(60)), 1000).untilMs).toBe(1000 + 60 * 66);
  expect(captionOf(said("x".repeat(900)), 1000).untilMs).toBe(9000);
  expect(captionOf(said("Hallo", { duration_ms: 4000 }), 1000).untilMs).toBe(5000);
  expect(captionOf(said("Hallo", { duration_ms: 900_000 }), 1000).untilMs).toBe(9000);
});

test("two lines at most are on the picture, the newest", () => {
  const lines = [1, 2, 3].map((n) => captionOf(said(`line ${n}`), 1000));
  expect(stillShown(lines, 1001).map(({ text }) => text)).toEqual(["line 2", "line 3"]);
  expect(stillShown(lines, 3001)).toEqual([]);
});
