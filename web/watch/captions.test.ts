import { expect, test } from "vitest";
import { captionOf, Captioning, stillShown } from "./captions";

const said = (text: string, forMs = 2000) => ({ type: "caption", text, lang: "de", begins_ms: 70_000, ends_ms: 70_000 + forMs });

test("a caption stays on its picture for as long as the server says", () => {
  expect(captionOf(said("Hallo", 3000), 1000)).toEqual({ text: "Hallo", lang: "de", untilMs: 4000 });
});

test("two lines at most are on the picture, the newest", () => {
  const lines = [1, 2, 3].map((n) => captionOf(said(`line ${n}`), 1000));
  expect(stillShown(lines, 1001).map(({ text }) => text)).toEqual(["line 2", "line 3"]);
  expect(stillShown(lines, 3001)).toEqual([]);
});

test("the switch is offered once there has been one", () => {
  const captions = new Captioning();
  expect(captions.offered.value).toBe(false);
  captions.heard(said("Hallo"), 0);
  expect([captions.offered.value, captions.shown.value.length]).toEqual([true, 1]);
  captions.tick(2001);
  expect(captions.shown.value).toEqual([]);
});
