/** What happened to an order after the sale, and whether its buyer can still withdraw. Pure. */
import type { Money, Order, Time, Units } from "../lib/shapes";

export interface Happening { key: string; word: "did_shipped" | "did_refund_open" | "did_refund_done" | "did_refund_failed" | "did_withdrawal"; at: Time; pieces: number; amount: Money | null; note: string }

const WITHDRAWABLE = new Set(["paid", "shipped", "completed"]);

export const piecesOf = (lines: Units[]): number => lines.reduce((sum, line) => sum + line.quantity, 0);

/** Shipments, refunds and withdrawals in the order they came. */
export function happenings(order: Order): Happening[] {
  const sent = (order.shipments ?? []).map((one): Happening => ({ key: one.id, word: "did_shipped", at: one.at, pieces: piecesOf(one.lines), amount: null, note: [one.carrier, one.tracking].filter(Boolean).join(" ") }));
  const back = (order.refunds ?? []).map((one): Happening => ({ key: one.id, word: one.state === "done" ? "did_refund_done" : one.state === "failed" ? "did_refund_failed" : "did_refund_open", at: one.changed_at, pieces: piecesOf(one.lines), amount: one.amount, note: "" }));
  const withdrawn = (order.withdrawals ?? []).map((one): Happening => ({ key: one.withdrawal, word: "did_withdrawal", at: one.received_at, pieces: piecesOf(one.lines), amount: null, note: "" }));
  return [...sent, ...withdrawn, ...back].sort((a, b) => Date.parse(String(a.at)) - Date.parse(String(b.at)));
}

/** For the whole period, as long as any piece has not been given back (§ 356a BGB); the server decides in the end. */
export function mayWithdraw(order: Order, nowMs: number): boolean {
  if (!WITHDRAWABLE.has(order.state)) return false;
  const until = order.withdrawal_until;
  const inTime = until === null || until === undefined || Date.parse(String(until)) > nowMs;
  const back = (order.refunds ?? []).filter((one) => one.state !== "failed").flatMap((one) => one.lines);
  return inTime && piecesOf(order.lines) > piecesOf(back);
}
