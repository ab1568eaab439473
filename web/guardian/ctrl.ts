/** A guardian's decision: what was shown is what is approved (its digest), by a person who has just shown who they are. */
import { signal } from "@preact/signals-core";
import { newKey, post } from "../lib/api";
import { stepUpByPasskey, wasCancelled } from "../lib/passkey";
import { StepUp } from "../lib/stepup";
import { Refused } from "../lib/refused";
import type { Approval } from "../lib/shapes";

export type Doing = "approve" | "decline" | "revoke" | "extend" | null;

export class Deciding {
  readonly busy = signal<Doing>(null);
  readonly needsPassword = signal(false);
  readonly stepUp = new StepUp();
  readonly refusal = signal<unknown>(null);
  readonly outcome = signal<Approval | null>(null);

  constructor(readonly approval: Approval) {}

  /** The request as it is by the newer of the page's list and the answer to what was done here. */
  latest(listed: Approval): Approval {
    const answer = this.outcome.value;
    return answer && listed.state === this.approval.state ? answer : listed;
  }

  approve(token: string): Promise<void> {
    return this.deciding("approve", { digest: this.approval.digest, payment: { method: "card", token } });
  }

  decline(): Promise<void> {
    return this.deciding("decline", {});
  }

  /** Take consent back, as long as it is not paid. */
  revoke(): Promise<void> {
    return this.deciding("revoke", {});
  }

  /** Have the units held for as long again, once. */
  extend(): Promise<void> {
    return this.deciding("extend", {});
  }

  /** Password first, then the code it was mailed for. */
  confirm(password: string, code: string, token: string): Promise<void> {
    return this.proving(() => this.stepUp.by(password, code), token);
  }

  confirmByPasskey(token: string): Promise<void> {
    return this.proving(stepUpByPasskey, token);
  }

  /** A fresh proof is the step-up; then the decision is made as it was meant. */
  private async proving(proof: () => Promise<unknown>, token: string): Promise<void> {
    this.refusal.value = null;
    try {
      if ((await proof()) === false) return;
    } catch (error) {
      if (!wasCancelled(error)) this.refusal.value = error;
      return;
    }
    this.needsPassword.value = false;
    await this.approve(token);
  }

  private async deciding(what: Exclude<Doing, null>, body: unknown): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = what;
    this.refusal.value = null;
    try {
      this.outcome.value = await post<Approval>(`/approvals/${this.approval.id}/${what}`, body, { key: newKey() });
    } catch (error) {
      if (wantsStepUp(error)) this.needsPassword.value = true;
      else this.refusal.value = error;
    } finally {
      this.busy.value = null;
    }
  }
}

export const wantsStepUp = (error: unknown): boolean => error instanceof Refused && error.code === "step_up_required";

/** The request on screen is not the request any more. */
export const isStale = (error: unknown): boolean => error instanceof Refused && (error.code === "superseded" || error.code === "conflict");
