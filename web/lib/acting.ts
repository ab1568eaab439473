/** What somebody changes on a page: done at once, or after a fresh proof of who is there. */
import { signal } from "@preact/signals-core";
import { stepUpByPasskey, wasCancelled } from "./passkey";
import { Refused } from "./refused";
import { StepUp } from "./stepup";

export class Acting {
  readonly busy = signal(false);
  readonly refusal = signal<unknown>(null);
  readonly stepUp = new StepUp();
  /** What is done again once the person has shown who they are. */
  readonly wanting = signal<(() => Promise<unknown>) | null>(null);

  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (this.busy.value) return false;
    this.busy.value = true;
    this.refusal.value = null;
    try {
      await act();
      this.wanting.value = null;
      return true;
    } catch (error) {
      if (error instanceof Refused && error.code === "step_up_required") this.wanting.value = act;
      else this.refusal.value = error;
      return false;
    } finally {
      this.busy.value = false;
    }
  }

  /** Password first, then the code it was mailed for. */
  byPassword(password: string, code: string): Promise<void> {
    return this.proving(() => this.stepUp.by(password, code));
  }

  byPasskey(): Promise<void> {
    return this.proving(stepUpByPasskey);
  }

  private async proving(proof: () => Promise<unknown>): Promise<void> {
    const act = this.wanting.value;
    this.refusal.value = null;
    try {
      if ((await proof()) === false) return;
    } catch (error) {
      if (!wasCancelled(error)) this.refusal.value = error;
      return;
    }
    if (act) await this.run(act);
  }
}
