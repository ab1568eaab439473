import { describe, expect, test } from "vitest";
import type { Order, Refund } from "../lib/shapes";
import { happenings, mayWithdraw } from "./after";

const order = (state: string, change: Partial<Order> = {}): Order => ({ id: "o", state, version: 1, lines: [{ offer: "a", quantity: 2 }], total: { amount: 2, currency: "EUR" }, reserved_until: null, ...change });
const refund = (quantity: number, state: string): Refund => ({ id: `r${quantity}${state}`, state, amount: { amount: 1, currency: "EUR" }, lines: [{ offer: "a", quantity }], restock: true, cause: "seller", asked_at: "2026-11-25T10:00:00Z", changed_at: "2026-11-25T10:00:01Z" });

describe("the withdrawal button", () => {
  test("is there for the whole period of a paid order, and only then", () => {
    expect(["held", "awaiting_payment", "paid", "shipped", "completed", "refunded", "withdrawn"].map((state) => mayWithdraw(order(state), 0))).toEqual([false, false, true, true, true, false, false]);
    expect(mayWithdraw(order("shipped", { withdrawal_until: "1970-01-01T00:00:01Z" }), 999)).toBe(true);
    expect(mayWithdraw(order("shipped", { withdrawal_until: "1970-01-01T00:00:01Z" }), 1000)).toBe(false);
  });

  test("goes when everything is on its way back, and comes again when that fails", () => {
    expect([refund(1, "done"), refund(2, "refunding"), refund(2, "failed")].map((one) => mayWithdraw(order("paid", { refunds: [one] }), 0))).toEqual([true, false, true]);
  });
});

describe("what happened", () => {
  test("is told in the order it came, a refund by how it stands", () => {
    const shipment = { id: "s", lines: [{ offer: "a", quantity: 2 }], carrier: "Post", tracking: "1Z", at: "2026-11-25T11:00:00Z" };
    const told = happenings(order("shipped", { shipments: [shipment], refunds: [refund(1, "done"), refund(1, "unknown")] }));
    expect(told.map(({ word, pieces, note }) => [word, pieces, note])).toEqual([["did_refund_done", 1, ""], ["did_refund_open", 1, ""], ["did_shipped", 2, "Post 1Z"]]);
  });
});
