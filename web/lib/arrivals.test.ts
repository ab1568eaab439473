import { describe, expect, test } from "vitest";
import { Arrivals } from "./arrivals";

const line = (count: number, delayOf: (n: number) => number): Arrivals => {
  const arrivals = new Arrivals();
  for (let n = 0; n < count; n += 1) arrivals.came(n * 33, n * 33 + delayOf(n));
  return arrivals;
};

describe("arrivals", () => {
  test("say nothing before there is enough to tell", () => expect(line(5, () => 10).lateMs(0.95)).toBeNull());

  test("of an even line are late by nothing, however long its way", () => expect(line(100, () => 400).lateMs(0.95)).toBe(0));

  test("tell how late nineteen of twenty are against the quickest", () => {
    expect(line(200, (n) => (n % 10 === 0 ? 80 : 20)).lateMs(0.95)).toBe(60);
    expect(line(200, (n) => (n % 100 === 0 ? 80 : 20)).lateMs(0.95)).toBe(0);
  });

  test("do not count an outage: after it the line is what it was", () => {
    expect(line(200, (n) => (n > 50 && n < 80 ? 3000 : 20)).lateMs(0.95)).toBe(0);
  });

  test("follow a clock that drifts, and forget what is long past", () => {
    expect(line(3000, (n) => n * 0.01).lateMs(0.95)).toBeLessThan(3);
    expect(line(600, (n) => (n < 300 ? (n % 2) * 200 : 20)).lateMs(0.95)).toBe(0);
  });
});
