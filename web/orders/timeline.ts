/** The steps of an order as its buyer understands them. Pure. */
import type { Order, Time } from "../lib/shapes";

export type StepWord = "reserved" | "asked" | "paying" | "paid" | "shipped" | "arrived";

export interface Step { word: StepWord | "end"; done: boolean; now: boolean; at: Time | null }

const WAY: { state: string; word: StepWord }[] = [
  { state: "held", word: "reserved" }, { state: "awaiting_guardian", word: "asked" }, { state: "awaiting_payment", word: "paying" },
  { state: "paid", word: "paid" }, { state: "shipped", word: "shipped" }, { state: "completed", word: "arrived" },
];

/** An order that ended early shows what it reached, then its end; a guardian's step only where there was one. */
export function timeline(order: Order): Step[] {
  const reached = WAY.findIndex((step) => step.state === order.state);
  const timeOf = (state: string): Time | null => timeIn(order, state);
  if (reached === -1) return ended(order, timeOf);
  const asked = order.state === "awaiting_guardian" || timeOf("awaiting_guardian") !== null;
  return WAY
    .filter((step) => (step.word !== "asked" || asked) && (step.word !== "paying" || order.state === "awaiting_payment"))
    .map((step) => {
      const place = WAY.indexOf(step);
      return { word: step.word, done: place < reached || order.state === "completed", now: place === reached && order.state !== "completed", at: timeOf(step.state) };
    });
}

/** A step's own time where the server keeps it; else the first and the present one are known. */
function timeIn(order: Order, state: string): Time | null {
  const kept = order.history?.find((step) => step.state === state)?.at;
  if (kept !== undefined) return kept;
  if (state === "held") return order.held_at ?? null;
  return state === order.state ? (order.updated_at ?? null) : null;
}

function ended(order: Order, timeOf: (state: string) => Time | null): Step[] {
  const before = WAY
    .filter((step) => step.state === "held" || timeOf(step.state) !== null)
    .map((step) => ({ word: step.word, done: true, now: false, at: timeOf(step.state) }));
  return [...before, { word: "end", done: false, now: true, at: timeOf(order.state) }];
}
