import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { heardServerTime, serverNow, setServerTime } from "./clock";

beforeEach(() => { vi.useFakeTimers({ now: 1_000_000 }); });
afterEach(() => { vi.useRealTimers(); });

test("an answer is half of its round trip old, and what the page was busy for", () => {
  setServerTime(5_000_000, 80, 25);
  expect(serverNow()).toBe(5_000_065);
});

test("the server's clock is read off whatever came the fastest", () => {
  setServerTime(5_000_000); // an answer that lay on a busy page for 300 ms
  expect(serverNow()).toBe(5_000_000);
  heardServerTime(5_000_290);
  expect(serverNow()).toBe(5_000_290);
  heardServerTime(4_999_000); // an old value, repeated for a joiner, says nothing
  expect(serverNow()).toBe(5_000_290);
  vi.setSystemTime(1_002_000);
  expect(serverNow()).toBe(5_002_290);
  setServerTime(5_001_000); // another ticket begins anew: the device's own clock may have been put right
  expect(serverNow()).toBe(5_001_000);
});
