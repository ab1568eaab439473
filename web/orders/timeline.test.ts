import { describe, expect, test } from "vitest";
import type { Order } from "../lib/shapes";
import { mayWithdraw, timeline } from "./timeline";

const order = (state: string, change: Partial<Order> = {}): Order => ({ id: "o", state, version: 1, lines: [], total: { amount: 1, currency: "EUR" }, reserved_until: null, held_at: 5, ...change });

const told = (each: Order): string => timeline(each).map(({ word, done, now }) => `${word}${done ? "+" : now ? "!" : ""}`).join(" ");

describe("an order's timeline", () => {
  test.each([
    ["held", "reserved! paid shipped arrived"], ["awaiting_payment", "reserved+ paying! paid shipped arrived"], ["awaiting_guardian", "reserved+ asked! paid shipped arrived"],
    ["paid", "reserved+ paid! shipped arrived"], ["completed", "reserved+ paid+ shipped+ arrived+"], ["expired", "reserved+ end!"],
  ])("%s", (state, expected) => expect(told(order(state))).toBe(expected));

  test("keeps what happened before an early end", () => {
    expect(told(order("refunded", { history: [{ state: "held", at: 1 }, { state: "paid", at: 2 }, { state: "refunded", at: 3 }] }))).toBe("reserved+ paid+ end!");
  });
});

describe("the withdrawal button", () => {
  test("is there for the whole period of a paid order, and only then", () => {
    expect(["held", "awaiting_payment", "paid", "shipped", "completed", "withdrawn"].map((state) => mayWithdraw(order(state), 0))).toEqual([false, false, true, true, true, false]);
    expect(mayWithdraw(order("completed", { withdrawal_until: "1970-01-01T00:00:01Z" }), 2000)).toBe(false);
  });
});
