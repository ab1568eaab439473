/** Ages that an operator has checked: find whose it is, note what was seen, take it back. The birth date is only sent: once it
 * is noted the form is a new one.
 */
import { signal } from "@preact/signals";
import { Acting } from "../lib/acting";
import { ask, put, remove } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { Proof } from "../lib/proof";
import type { AgeKnown } from "../lib/shapes";
import { say } from "./words";

const SEEN = ["identity_document", "other_document", "video_call", "correction"] as const;

const acting = new Acting();
const found = signal<AgeKnown | null>(null);

const changing = (act: () => Promise<AgeKnown>): void => { void acting.run(async () => { found.value = await act(); }); };

function find(event: SubmitEvent): void {
  event.preventDefault();
  found.value = null;
  const email = String(new FormData(event.currentTarget as HTMLFormElement).get("email"));
  changing(() => ask<AgeKnown>("/ops/ages", { email }));
}

function check(event: SubmitEvent, account: string): void {
  event.preventDefault();
  const data = new FormData(event.currentTarget as HTMLFormElement);
  changing(() => put<AgeKnown>(`/ops/ages/${account}`, { born: data.get("born"), seen: data.get("seen") }));
}

export function Ages() {
  return (
    <section class="card stack ages" data-testid="ages">
      <h2>{say("ages")}</h2>
      <p class="small muted">{say("agesText")}</p>
      <form class="row" onSubmit={find}>
        <label class="field"><span>{say("agesMail")}</span><input name="email" type="email" required maxLength={254} autocomplete="off" /></label>
        <button class="button" disabled={acting.busy.value} data-testid="find-age">{say("agesFind")}</button>
      </form>
      {found.value && <Known known={found.value} />}
      <Proof acting={acting} />
    </section>
  );
}

function Known({ known }: { known: AgeKnown }) {
  const where = known.region ? `${known.country}-${known.region}` : known.country;
  return (
    <>
      <p role="status" data-testid="age-known" data-band={known.age_band} data-method={known.age_method}>
        <strong>{say(`band_${known.age_band}`)}</strong> · {where} · {say(`method_${known.age_method}`)}{known.age_issuer && known.age_issuer !== "operator" && ` (${known.age_issuer})`}
      </p>
      {known.checked_at && known.seen && (
        <p class="row small">
          {say("agesChecked", { time: dayAndTime(known.checked_at), seen: say(`seen_${known.seen}`) })}
          <button type="button" class="button button-small" disabled={acting.busy.value} onClick={() => changing(() => remove<AgeKnown>(`/ops/ages/${known.account}`))} data-testid="undo-age">{say("agesUndo")}</button>
        </p>
      )}
      <form class="row" key={`${known.account} ${known.checked_at}`} onSubmit={(event) => check(event, known.account)}>
        <label class="field"><span>{say("agesBorn")}</span><input name="born" type="date" required /></label>
        <label class="field"><span>{say("agesSeen")}</span><select name="seen">{SEEN.map((one) => <option key={one} value={one}>{say(`seen_${one}`)}</option>)}</select></label>
        <button class="button button-solid" disabled={acting.busy.value} data-testid="check-age">{say("agesCheck")}</button>
      </form>
    </>
  );
}
