/** Proving one's age by an issuer's signed credential: what it has to say is asked first, and good for five minutes. */
import { signal } from "@preact/signals-core";
import { ask, post } from "../lib/api";
import { doing } from "../lib/doing";
import { Refused } from "../lib/refused";
import { me } from "../lib/session";
import type { AgeAsked, Me } from "../lib/shapes";

export const asked = signal<AgeAsked | null>(null);
export const busy = signal(false);
/** Why it did not work; null: nothing went wrong. */
export const refusal = signal<unknown>(null);

const REASONS = ["unreadable", "issuer", "time", "elsewhere", "claim", "signature"] as const;

export type Reason = (typeof REASONS)[number] | "guardian" | "used" | "not_taken" | "known";

/** Which of our own sentences says it; null where the common ones do. */
export function reasonOf(error: unknown): Reason | null {
  if (!(error instanceof Refused)) return null;
  const told = error.errors[0]?.reason;
  if (error.code === "forbidden") return REASONS.find((one) => one === told) ?? "guardian";
  if (error.code === "expired") return "used";
  if (error.code === "conflict") return asked.value ? "known" : "not_taken";
  return null;
}

export const begin = (): Promise<void> => doing(busy, refusal, async () => {
  asked.value = null;
  asked.value = await ask<AgeAsked>("/me/age-proof/options");
});

export const prove = (credential: string): Promise<void> => doing(busy, refusal, async () => {
  me.value = await post<Me>("/me/age-proof", { credential: credential.trim() });
  asked.value = null;
});
