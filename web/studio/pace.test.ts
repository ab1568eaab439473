import { expect, test } from "vitest";
import { firstPace, MAX_BITRATE, nextPace, retryMs, type Pace } from "./pace";

/** Sends at the pace over a line of so many bit/s, for so many seconds; what waits stays in the socket. */
function over(line: number, seconds: number, from: Pace = firstPace(0), startMs = 0): { pace: Pace; waiting: number; longestMs: number } {
  let pace = from, waiting = 0, longestMs = 0;
  for (let now = startMs; now < startMs + seconds * 1000; now += 250) {
    waiting = Math.max(0, waiting + ((pace.skip ? 0 : pace.bitrate) - line) / 32);
    longestMs = Math.max(longestMs, (waiting * 8000) / line);
    pace = nextPace(pace, waiting, now);
  }
  return { pace, waiting, longestMs };
}

test("a wide line is used up to the most we send", () => {
  expect(over(10_000_000, 60).pace.bitrate).toBe(MAX_BITRATE);
});

test("a thin line is filled, and what waits in it stays under two seconds", () => {
  const { pace, longestMs } = over(600_000, 60);
  expect(pace.bitrate).toBeLessThan(900_000);
  expect(pace.bitrate).toBeGreaterThan(400_000);
  expect(longestMs).toBeLessThan(2000);
});

test("a jammed line is given time, and the pace comes back when the line does", () => {
  const jammed = over(20_000, 5);
  expect(jammed.pace.skip).toBe(true);
  const free = over(10_000_000, 60, jammed.pace, 5000);
  expect(free.pace).toMatchObject({ skip: false, bitrate: MAX_BITRATE });
});

test("tries come further apart, up to eight seconds", () => {
  expect([0, 1, 2, 3, 4, 9].map(retryMs)).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
});
