import { describe, expect, test } from "vitest";
import type { Order } from "../lib/shapes";
import { timeline } from "./timeline";

const order = (state: string, change: Partial<Order> = {}): Order => ({ id: "o", state, version: 1, lines: [], total: { amount: 1, currency: "EUR" }, reserved_until: null, held_at: 5, ...change });

const told = (each: Order): string => timeline(each).map(({ word, done, now }) => `${word}${done ? "+" : now ? "!" : ""}`).join(" ");

describe("an order's timeline", () => {
  test.each([
    ["held", "reserved! paid shipped arrived"], ["awaiting_payment", "reserved+ paying! paid shipped arrived"], ["awaiting_guardian", "reserved+ asked! paid shipped arrived"],
    ["paid", "reserved+ paid! shipped arrived"], ["completed", "reserved+ paid+ shipped+ arrived+"], ["expired", "reserved+ end!"],
  ])("%s", (state, expected) => expect(told(order(state))).toBe(expected));

  test("says when it was reserved and when it came where it is", () => {
    const at = timeline(order("paid", { held_at: "18:04", updated_at: "18:06" })).map((step) => step.at);
    expect(at).toEqual(["18:04", "18:06", null, null]);
    expect(timeline(order("expired", { held_at: "18:04", updated_at: "18:14" })).map((step) => step.at)).toEqual(["18:04", "18:14"]);
  });

  test("keeps what happened before an early end", () => {
    expect(told(order("refunded", { history: [{ state: "held", at: 1 }, { state: "paid", at: 2 }, { state: "refunded", at: 3 }] }))).toBe("reserved+ paid+ end!");
  });
});
