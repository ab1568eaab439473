import { expect, test } from "vitest";
import type { OpsShow, Overview } from "../lib/shapes";
import { isHot, ordersInAll, remembered, sparkline, troubleOf, type Memory } from "./watchfor";

const show = (change: Partial<OpsShow> = {}): OpsShow => ({ id: "s", title: "S", state: "live", viewers: 1, host: "live", fps: 30, bitrate_kbps: 1500, media_delay_ms: 40, picture_age_ms: 20, warnings: "", orders: {}, revenue: { amount: 0, currency: "EUR" }, stock_left: 0, ...change });

const overview = (viewers: number, shows: OpsShow[] = []): Overview => ({ shows, orders: { paid: 2, held: 1 }, viewers, approvals_pending: 0, mails: { sent: 0, waiting: 0, refused: 0, given_up: 0 }, processes: [], alarms: [] });

test("red is only what needs a hand: a live show's lost, frozen, late or thin picture", () => {
  const seen = [show(), show({ host: "lost" }), show({ picture_age_ms: 4000 }), show({ media_delay_ms: 1500 }), show({ bitrate_kbps: 100 })];
  expect(seen.map(troubleOf)).toEqual([null, "lost", "frozen", "late", "thin"]);
  const quiet = [show({ host: "waiting", bitrate_kbps: 0 }), show({ state: "ended", host: "", bitrate_kbps: 0 }), show({ state: "paused", host: "lost" })];
  expect(quiet.map(troubleOf)).toEqual([null, null, null]);
});

test("a process that fills its core is hot", () => {
  const process = { name: "web", pid: 1, up: true, cpu_percent: 90, rss_mib: 1, restarts: 0, uptime_s: 1 };
  expect([isHot(process), isHot({ ...process, cpu_percent: 20 })]).toEqual([true, false]);
});

test("orders of every state are counted", () => expect(ordersInAll({ paid: 2, held: 1 })).toBe(3));

test("the memory keeps a minute or two and forgets shows that are gone", () => {
  let memory: Memory = {};
  for (let n = 0; n < 70; n += 1) memory = remembered(memory, overview(n, n < 69 ? [show()] : [show({ state: "ended" })]));
  expect([memory.viewers?.length, memory.viewers?.at(-1), memory["s:viewers"]]).toEqual([60, 69, undefined]);
});

test("a sparkline ends at the right, and a flat one lies in the middle", () => {
  expect(sparkline([1, 3])).toBe("92.9,22.0 100.0,2.0");
  expect(sparkline([5, 5])).toBe("92.9,12.0 100.0,12.0");
  expect(sparkline([5])).toBe("");
});
