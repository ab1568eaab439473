import { expect, test } from "vitest";
import type { OpsShow, Overview } from "../lib/shapes";
import { isHot, needsHand, ordersInAll, remembered, sparkline, type Memory } from "./watchfor";

const show = (change: Partial<OpsShow> = {}): OpsShow => ({ id: "s", title: "S", state: "live", viewers: 1, bitrate_kbps: 1500, media_delay_ms: 200, orders: {}, revenue: null, stock_left: null, ...change });

const overview = (viewers: number, shows: OpsShow[] = []): Overview => ({ shows, orders: { paid: 2, held: 1 }, viewers, approvals_pending: 0, processes: [] });

test("red is only what needs a hand: late or thin pictures of a live show, full or dead processes", () => {
  expect([show(), show({ media_delay_ms: 1500 }), show({ bitrate_kbps: 100 }), show({ bitrate_kbps: null, media_delay_ms: null }), show({ state: "ended", bitrate_kbps: 0 })].map(needsHand)).toEqual([false, true, true, false, false]);
  const process = { name: "web", pid: 1, up: true, cpu_percent: 90, rss_mib: 1, restarts: 0, uptime_s: 1 };
  expect([isHot(process), isHot({ ...process, cpu_percent: 20 })]).toEqual([true, false]);
});

test("orders of every state are counted", () => expect(ordersInAll({ paid: 2, held: 1 })).toBe(3));

test("the memory keeps a minute or two and forgets shows that are gone", () => {
  let memory: Memory = {};
  for (let n = 0; n < 70; n += 1) memory = remembered(memory, overview(n, n < 69 ? [show()] : []));
  expect([memory.viewers?.length, memory.viewers?.at(-1), memory["show:s"]]).toEqual([60, 69, undefined]);
});

test("a sparkline spans its box, and a flat one lies in the middle", () => {
  expect(sparkline([1, 3])).toBe("0.0,22.0 100.0,2.0");
  expect(sparkline([5, 5])).toBe("0.0,12.0 100.0,12.0");
  expect(sparkline([5])).toBe("");
});
