/** A fresh proof by password and mailed code: the code is asked for once the password is known to be right. */
import { signal } from "@preact/signals-core";
import { post } from "./api";
import { Refused } from "./refused";

export class StepUp {
  /** A code is in the mail, and waited for. */
  readonly coded = signal(false);

  /** Whether it is done: false while a code has still to be typed. Where no mails are sent the password is enough. */
  async by(password: string, code: string): Promise<boolean> {
    if (!this.coded.value && (await this.mailed(password))) {
      this.coded.value = true;
      return false;
    }
    await post("/session/step-up", { password, code });
    this.coded.value = false;
    return true;
  }

  private async mailed(password: string): Promise<boolean> {
    try {
      await post("/session/step-up/code", { password });
      return true;
    } catch (error) {
      if (error instanceof Refused && error.code === "conflict") return false;
      throw error;
    }
  }
}
