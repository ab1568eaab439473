import { expect, test } from "vitest";
import { toMs } from "./time";

test("RFC 3339 and milliseconds are read alike", () => {
  expect([toMs("1970-01-01T00:00:01Z"), toMs(1000), toMs(null), toMs("soon")]).toEqual([1000, 1000, null, null]);
});
