/** A fresh proof of who is there, asked for only when the server wants one. */
import { useEffect, useState } from "preact/hooks";
import { CodeField } from "./codefield";
import { hasPasskey } from "./passkey";
import { Notice } from "./pieces";
import { Refused } from "./refused";
import { detailOf, sorryFor } from "./sorry";
import type { Acting } from "./acting";
import { say } from "./words";

export function Proof({ acting }: { acting: Acting }) {
  const [offered, setOffered] = useState(false);
  useEffect(() => { void hasPasskey().then(setOffered, () => undefined); }, []);
  const refused = acting.refusal.value;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    void acting.byPassword(String(data.get("password") ?? ""), String(data.get("code") ?? ""));
  };
  return (
    <>
      {acting.wanting.value && (
        <form onSubmit={submit}>
          <Notice tone="wait" title={say("proof")}>
            <p class="small">{say("proofText")}</p>
            <label class="field"><span>{say("proofPassword")}</span><input name="password" type="password" required autocomplete="current-password" data-testid="proof-password" ref={(field) => { if (field && !field.value) field.focus(); }} /></label>
            {acting.stepUp.coded.value && <CodeField anew={() => { acting.stepUp.coded.value = false; }} />}
            <div class="proof-ways">
              <button class="button button-solid" data-testid="proof-submit" disabled={acting.busy.value}>{say("proofGoOn")}</button>
              {offered && <button type="button" class="button" data-testid="proof-passkey" onClick={() => void acting.byPasskey()}>{say("proofPasskey")}</button>}
            </div>
          </Notice>
        </form>
      )}
      {refused !== null && <Notice tone="fault"><p>{refused instanceof Refused && refused.code === "unauthenticated" ? say(acting.stepUp.coded.value ? "proofWrongCode" : "proofWrong") : `${sorryFor(refused)} ${detailOf(refused)}`}</p></Notice>}
    </>
  );
}
