/** What one's data may be used for: no until yes, and a no is one press like a yes. For wards, who are too young, too. */
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { language } from "../lib/i18n";
import { Notice } from "../lib/pieces";
import { me } from "../lib/session";
import type { Consent, Link, Listed } from "../lib/shapes";
import { sorryFor } from "../lib/sorry";
import { act, busy } from "./access";
import { say } from "./words";

export function Consents() {
  const [wards, setWards] = useState<Link[]>([]);
  useEffect(() => { void get<Listed<Link>>("/guardians/links").then(({ items }) => setWards(items.filter((link) => link.guardian === me.value?.id)), () => undefined); }, []);
  return (
    <>
      <Purposes path="/me/consents" title={say("consents")} mine />
      {wards.map((link) => <Purposes key={link.id} path={`/wards/${link.minor}/data-consents`} title={say("consentsOf", { name: link.minor_name })} mine={false} />)}
    </>
  );
}

function Purposes({ path, title, mine }: { path: string; title: string; mine: boolean }) {
  const [items, setItems] = useState<Consent[]>([]);
  const [error, setError] = useState<unknown>(null);
  const load = (): void => { get<Listed<Consent>>(path).then((page) => setItems(page.items), mine ? setError : () => setItems([])); };
  useEffect(load, [path]);
  const answer = (one: Consent, granted: boolean): void => {
    void act(async () => { setItems((await put<Listed<Consent>>(path, { purpose: one.purpose, granted, version: one.version })).items); });
  };
  const who = mine ? "owner" : "guardian";
  const shown = items.filter((one) => one.granted || one.may_grant === who || mine);
  if (error !== null) return <Notice tone="fault"><p>{sorryFor(error)}</p></Notice>;
  if (shown.length === 0) return null;
  return (
    <div class="stack" data-testid={mine ? "consents" : "ward-consents"}>
      <h3>{title}</h3>
      {mine && <p class="small muted">{say("consentsText")}</p>}
      <ul class="access">
        {shown.map((one) => (
          <li key={one.purpose} data-testid="consent" data-purpose={one.purpose}>
            <span>{one.text[language.value]}<span class="small muted">{stands(one, who)}</span></span>
            <span class="row">
              <button type="button" class="button button-small" aria-pressed={one.granted} disabled={busy.value || one.may_grant !== who} onClick={() => answer(one, true)} data-testid="consent-yes">{say("consentYes")}</button>
              <button type="button" class="button button-small" aria-pressed={!one.granted} disabled={busy.value || !one.granted} onClick={() => answer(one, false)} data-testid="consent-no">{say("consentNo")}</button>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function stands(one: Consent, who: string): string {
  if (!one.granted && one.may_grant === "") return say("consentNobody");
  if (!one.granted && one.may_grant !== who) return say("consentGuardian");
  return one.said_at === null ? say("consentNever") : say("consentSince", { time: dayAndTime(one.said_at) });
}
