import { expect, test } from "vitest";
import { soldOrderOf } from "./minor";
import { amountOf, belongs, subjectOf, type AuditLine } from "./trail";

const line = (action: string, data: Record<string, unknown> = {}): AuditLine => ({ id: "l1", at: "2026-01-01T00:00:00Z", actor: "", action, data: { shelf: "show:a", ...data } });

test("a number's events are those of its show and its kind", () => {
  const trail = { title: "", hint: "", shelf: "show:a", actions: ["order.paid", "payment."] };
  expect(["order.paid", "payment.captured", "order.held"].map((action) => belongs(line(action), trail))).toEqual([true, true, false]);
  expect(belongs(line("order.paid", { shelf: "show:b" }), trail)).toBe(false);
  expect(belongs(line("anything", { shelf: "shop:x" }), { title: "", hint: "", actions: [] })).toBe(true);
});

test("a line names what was acted on and how much it was", () => {
  expect(subjectOf(line("payment.captured", { order: "o_1", payment: "p_1" }))).toBe("o_1");
  expect(subjectOf(line("studio.lease_taken", { studio: "studio-1" }))).toBe("studio-1");
  expect(subjectOf(line("pins.set"))).toBe("show:a");
  expect(amountOf(line("order.paid", { total: 5, currency: "EUR" }))).toEqual({ amount: 5, currency: "EUR" });
  expect(amountOf(line("pins.set"))).toBeNull();
});

test("only an order that was sold can turn out to be a minor's", () => {
  expect(soldOrderOf(line("order.paid", { order: "o_1" }))).toBe("o_1");
  expect(soldOrderOf(line("order.held", { order: "o_1" }))).toBeNull();
  expect(soldOrderOf(line("payment.captured", { order: "o_1" }))).toBeNull();
});
