import { expect, test } from "vitest";
import { bandOf } from "./age";

const today = new Date(2026, 10, 25);

test("a date of birth stands for an age group from its birthday on", () => {
  expect(["2008-11-25", "2008-11-26", "2019-11-25", "2019-11-26", "1980-01-01"].map((born) => bandOf(born, today))).toEqual(["adult", "minor", "minor", "under7", "adult"]);
  expect(bandOf("2008-02-29", new Date(2026, 1, 28))).toBe("minor");
  expect(bandOf("2008-02-29", new Date(2026, 2, 1))).toBe("adult");
});

test("what is no date stands for nothing", () => {
  expect(["", "2026-11-26", "0012-01-01", "x"].map((born) => bandOf(born, today))).toEqual([null, null, null, null]);
});
