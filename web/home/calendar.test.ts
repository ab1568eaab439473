import { expect, test } from "vitest";
import type { Show } from "../lib/shapes";
import { calendarOf } from "./calendar";

test("a reminder is a calendar file with the show's time, a safe title and an alarm", () => {
  const show = { id: "s1", title: "Tea, cups; more", starts_at: "2026-01-02T18:00:00Z" } as Show;
  const file = calendarOf(show, "https://shop.example", 0);
  expect(file).toContain("DTSTART:20260102T180000Z\r\nDTEND:20260102T190000Z");
  expect(file).toContain("SUMMARY:Tea\\, cups\\; more\r\nURL:https://shop.example/watch/s1");
  expect(file).toContain("BEGIN:VALARM");
});
