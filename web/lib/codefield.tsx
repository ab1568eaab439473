/** The field for a mailed code; it takes the focus when it appears. `anew`: the next try mails another one. */
import { useEffect, useRef } from "preact/hooks";
import { say } from "./words";

export function CodeField({ anew }: { anew: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <label class="field">
      <span>{say("code")}</span>
      <input name="code" ref={field} required inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" data-testid="step-up-code" />
      <span class="tiny muted" role="status">{say("codeNote")} <button type="button" class="button button-small button-plain" onClick={anew}>{say("codeAnew")}</button></span>
    </label>
  );
}
