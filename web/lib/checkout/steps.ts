/** What a buyer can do after each answer of the server. Pure. */
import { Refused } from "../refused";
import type { Money, Order } from "../shapes";

export type WayOn =
  | { kind: "fewer"; left: number }
  | { kind: "sold_out" }
  | { kind: "new_price"; price: Money | null }
  | { kind: "again" }
  | { kind: "sign_in" }
  | { kind: "fix_fields" }
  | { kind: "leave" }
  | { kind: "retry" };

const NO_WAY_NOW = new Set(["limit_reached", "show_not_live", "forbidden", "not_found", "no_delivery"]);

/** A refusal never ends the conversation: it leads to the next best thing. */
export function wayOn(error: unknown, offer: string, currency: string): WayOn {
  if (!(error instanceof Refused)) return { kind: "retry" };
  const line = error.errors.find((each) => each.offer === offer) ?? error.errors[0];
  switch (error.code) {
    case "sold_out": return (line?.left ?? 0) > 0 ? { kind: "fewer", left: line?.left ?? 0 } : { kind: "sold_out" };
    case "price_changed": return { kind: "new_price", price: asMoney(line?.price ?? line, currency) };
    case "expired":
    case "superseded":
    case "conflict": return { kind: "again" };
    case "unauthenticated": return { kind: "sign_in" };
    case "invalid": return { kind: "fix_fields" };
    default: return NO_WAY_NOW.has(error.code) ? { kind: "leave" } : { kind: "retry" };
  }
}

const WAITING = new Set(["awaiting_payment", "awaiting_guardian"]);
const GOOD = new Set(["paid", "shipped", "completed"]);

export type Phase = "open" | "waiting" | "good" | "over";

export function phaseOf(state: string): Phase {
  if (state === "held") return "open";
  if (WAITING.has(state)) return "waiting";
  return GOOD.has(state) ? "good" : "over";
}

/** An answer that was overtaken on its way never replaces the newer one. */
export function newer(before: Order | null, next: Order): Order {
  if (!before || before.id !== next.id || next.version >= before.version) return { ...before, ...next };
  return before;
}

function asMoney(value: unknown, currency: string): Money | null {
  if (typeof value === "number") return { amount: value, currency };
  if (typeof value === "object" && value !== null && "amount" in value) return value as Money;
  return null;
}
