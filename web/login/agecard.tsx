/** What is known of one's age, and how to prove that one is of age. */
import { useRef } from "preact/hooks";
import { Notice } from "../lib/pieces";
import { me } from "../lib/session";
import type { AgeAsked } from "../lib/shapes";
import { sorryFor } from "../lib/sorry";
import { asked, begin, busy, prove, reasonOf, refusal } from "./ageproof";
import { say } from "./words";

export function AgeCard() {
  const verified = me.value?.age_method === "verified";
  const adult = me.value?.age_band === "adult";
  return (
    <div class="stack" data-testid="age">
      <h3>{say("age")}</h3>
      <p class="small muted" role="status">{say(!verified ? "ageOwnWord" : adult ? "ageVerified" : "ageVerifiedMinor")}</p>
      {!verified && !asked.value && <button type="button" class="button button-small" disabled={busy.value} onClick={() => void begin()} data-testid="begin-age">{say("ageBegin")}</button>}
      {asked.value && <Showing asked={asked.value} />}
      {refusal.value !== null && <Notice tone="fault"><p data-testid="age-refusal">{why(refusal.value)}</p></Notice>}
    </div>
  );
}

function Showing({ asked: { claim, audience, nonce } }: { asked: AgeAsked }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const take = (file: File | undefined): void => { void file?.text().then((text) => { if (field.current) field.current.value = text.trim(); }); };
  return (
    <form class="fields" onSubmit={(event) => { event.preventDefault(); void prove(field.current?.value ?? ""); }}>
      <p class="small">{say("ageAsk")}</p>
      <dl class="age-asked small">
        <dt>{say("ageClaim")}</dt><dd><code data-testid="age-claim">{claim}</code></dd>
        <dt>{say("ageAudience")}</dt><dd><code data-testid="age-audience">{audience}</code></dd>
        <dt>{say("ageNonce")}</dt><dd><code data-testid="age-nonce">{nonce}</code></dd>
      </dl>
      <label class="field"><span>{say("ageCredential")}</span><textarea name="credential" ref={field} rows={4} required maxLength={32_768} autocomplete="off" spellcheck={false} /></label>
      <label class="field"><span>{say("ageFile")}</span><input type="file" name="file" accept=".jwt,.txt,.json,text/plain" onChange={(event) => take(event.currentTarget.files?.[0])} /></label>
      <div class="row">
        <button class="button button-solid" disabled={busy.value} data-testid="prove-age">{say("ageProve")}</button>
        <button type="button" class="button" disabled={busy.value} onClick={() => void begin()}>{say("ageAnew")}</button>
      </div>
    </form>
  );
}

function why(error: unknown): string {
  const reason = reasonOf(error);
  return reason === null ? sorryFor(error) : say(`age_${reason}`);
}
