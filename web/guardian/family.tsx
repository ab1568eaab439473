/** Family links: who decides for whom; invitations; the allowance of a ward. */
import { useState } from "preact/hooks";
import { post, put, remove } from "../lib/api";
import { dayAndTime, parseAmount } from "../lib/format";
import { Notice } from "../lib/pieces";
import { me } from "../lib/session";
import type { Link } from "../lib/shapes";
import { sorryFor } from "../lib/sorry";
import { say } from "./words";

const CURRENCY = "EUR";

/** What one form did: nothing yet, done, or why not. */
type Result = { kind: "none" } | { kind: "done" } | { kind: "no"; error: unknown };

export function Family({ links, reload }: { links: Link[]; reload: () => void }) {
  return (
    <section class="stack">
      <h2>{say("family")}</h2>
      {links.length === 0 && <p class="muted">{say("noLinks")}</p>}
      <ul class="stack">{links.map((link) => <FamilyLink key={link.id} link={link} reload={reload} />)}</ul>
    </section>
  );
}

function FamilyLink({ link, reload }: { link: Link; reload: () => void }) {
  const [sure, setSure] = useState(false);
  const [result, setResult] = useState<Result>({ kind: "none" });
  const iAmGuardian = link.guardian === me.value?.id;
  const name = (iAmGuardian ? link.minor_name : link.guardian_name) ?? link.name ?? (iAmGuardian ? link.minor : link.guardian) ?? link.id;
  const end = (): void => {
    if (!sure) setSure(true);
    else remove(`/guardians/links/${link.id}`).then(reload, (error: unknown) => setResult({ kind: "no", error }));
  };
  return (
    <li class="card family-link">
      <div class="row row-apart">
        <span><strong>{name}</strong> <span class={link.verified ? "chip chip-calm" : "chip chip-wait"}>{say(link.verified ? "verified" : "notVerified")}</span></span>
        <button type="button" class="button button-small" onClick={end} onBlur={() => setSure(false)}>{say(sure ? "reallyEnd" : "end")}</button>
      </div>
      <p class="tiny muted">{link.ends_at ? say("ending", { time: dayAndTime(link.ends_at) }) : say("endNote")}</p>
      {result.kind === "no" && <Notice tone="fault"><p>{sorryFor(result.error)}</p></Notice>}
      {iAmGuardian && link.minor && <Allowance minor={link.minor} />}
    </li>
  );
}

function Allowance({ minor }: { minor: string }) {
  const [result, setResult] = useState<Result>({ kind: "none" });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const amount = (field: string) => ({ amount: parseAmount(String(data.get(field) ?? ""), CURRENCY) ?? 0, currency: CURRENCY });
    const body = { monthly: amount("monthly"), per_order: amount("per_order"), categories: [], quiet_hours: null, blocked: [] };
    put(`/wards/${minor}/allowance`, body).then(() => setResult({ kind: "done" }), (error: unknown) => setResult({ kind: "no", error }));
  };
  return (
    <details>
      <summary>{say("allowance")}</summary>
      <form class="stack" onSubmit={submit}>
        <p class="small muted">{say("allowanceText")}</p>
        <div class="fields-even">
          <label class="field"><span>{say("monthly")} (€)</span><input name="monthly" inputMode="decimal" placeholder="0,00" /></label>
          <label class="field"><span>{say("perOrder")} (€)</span><input name="per_order" inputMode="decimal" placeholder="0,00" /></label>
        </div>
        <Told result={result} done={say("saved")} />
        <button class="button button-small">{say("save")}</button>
      </form>
    </details>
  );
}

export function Invite() {
  const [result, setResult] = useState<Result>({ kind: "none" });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const email = new FormData(event.currentTarget as HTMLFormElement).get("email");
    post("/guardians/invitations", { email }).then(() => setResult({ kind: "done" }), (error: unknown) => setResult({ kind: "no", error }));
  };
  return (
    <form class="card invite stack" onSubmit={submit}>
      <h2>{say("invite")}</h2>
      <p class="small muted">{say("inviteText")}</p>
      <label class="field"><span>{say("inviteEmail")}</span><input name="email" type="email" required autocomplete="off" /></label>
      <Told result={result} done={say("invited")} />
      <button class="button button-solid">{say("send")}</button>
    </form>
  );
}

export function Accept({ token, reload }: { token: string; reload: () => void }) {
  const [result, setResult] = useState<Result>({ kind: "none" });
  const accept = (): void => {
    post(`/guardians/invitations/${encodeURIComponent(token)}/accept`).then(() => { setResult({ kind: "done" }); reload(); }, (error: unknown) => setResult({ kind: "no", error }));
  };
  return (
    <section class="card invite stack">
      <h2>{say("accept")}</h2>
      <p class="small muted">{say("acceptText")}</p>
      <Told result={result} done={say("accepted")} />
      {result.kind !== "done" && <button type="button" class="button button-calm" onClick={accept}>{say("acceptGo")}</button>}
    </section>
  );
}

function Told({ result, done }: { result: Result; done: string }) {
  if (result.kind === "done") return <Notice tone="calm"><p>{done}</p></Notice>;
  return result.kind === "no" ? <Notice tone="fault"><p>{sorryFor(result.error)}</p></Notice> : null;
}
