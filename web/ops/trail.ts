/** The events behind a number: which lines of the audit belong to it, and what a line is about. Pure. */
import type { Money } from "../lib/shapes";

export interface AuditLine { id: string; at: string; actor: string; action: string; data: Record<string, unknown> }

/** `actions` are beginnings (`order.`, `order.paid`); none: all. */
export interface Trail { title: string; hint: string; shelf?: string; actions: string[] }

export const belongs = (line: AuditLine, { shelf, actions }: Trail): boolean =>
  (shelf === undefined || line.data.shelf === shelf) && (actions.length === 0 || actions.some((action) => line.action.startsWith(action)));

const SUBJECTS = ["order", "approval", "payment", "offer", "deal", "transfer", "account", "show", "studio"];

/** The id of the thing that was acted on; the shelf when nothing smaller is named. */
export function subjectOf({ data }: AuditLine): string {
  const named = SUBJECTS.map((name) => data[name]).find((value) => typeof value === "string" && value !== "");
  return String(named ?? data.shelf ?? "");
}

export function amountOf({ data }: AuditLine): Money | null {
  const amount = data.total ?? data.amount ?? data.price;
  return typeof amount === "number" && typeof data.currency === "string" ? { amount, currency: data.currency } : null;
}
