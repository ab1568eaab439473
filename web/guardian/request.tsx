/** One request: who asks, what, how much in all, who sells it, where it goes, until when. Two equal answers. */
import { useEffect, useState } from "preact/hooks";
import { dayAndTime, money, times } from "../lib/format";
import { hasPasskey } from "../lib/passkey";
import { CodeField } from "../lib/codefield";
import { Notice, ProductPicture, TimeOf } from "../lib/pieces";
import { Refused } from "../lib/refused";
import { me } from "../lib/session";
import type { Approval } from "../lib/shapes";
import { detailOf, sorryFor } from "../lib/sorry";
import { say as sayAll } from "../lib/words";
import { PaymentChoice } from "../lib/checkout/address";
import { Sums } from "../lib/checkout/summary";
import { Bank } from "./bank";
import { Deciding, isStale } from "./ctrl";
import { Question } from "./question";
import { say, sayRequestState } from "./words";

const AFTER_THE_SALE = new Set(["asked", "handed", "ratified", "refused", "silent", "moot"]);

/** Asked after the sale (§ 108 BGB); handed: of the buyer, who has come of age. */
export const isQuestion = (approval: Approval): boolean => approval.state === "asked" || approval.state === "handed";

export function Request({ approval, reload, asMinor }: { approval: Approval; reload: () => void; asMinor: boolean }) {
  return AFTER_THE_SALE.has(approval.state) ? <Bought approval={approval} reload={reload} asMinor={asMinor} /> : <Asked approval={approval} reload={reload} asMinor={asMinor} />;
}

function Bought({ approval, reload, asMinor }: { approval: Approval; reload: () => void; asMinor: boolean }) {
  const own = approval.minor === me.value?.id;
  const mine = own ? approval.state === "handed" : approval.state === "asked";
  return (
    <article class="card request" data-testid="request" data-approval={approval.id}>
      <h2 class="asks">{own ? say("youBought") : say("hasBought", { name: approval.minor_name })}</h2>
      <Lines approval={approval} />
      <Facts approval={approval} />
      {mine ? <Question approval={approval} own={own} reload={reload} /> : <Notice title={sayRequestState(approval.state)}>{asMinor && isQuestion(approval) && <p class="small">{say("boughtMinorText")}</p>}</Notice>}
    </article>
  );
}

function Asked({ approval, reload, asMinor }: { approval: Approval; reload: () => void; asMinor: boolean }) {
  const [deciding] = useState(() => new Deciding(approval));
  const now = deciding.latest(approval);
  const outcome = now.state === "requested" ? null : now;
  return (
    <article class="card request" data-testid="request" data-approval={approval.id}>
      <h2 class="asks">{!asMinor && <span class="asks-sign" aria-hidden="true">{approval.minor_name.charAt(0)}</span>}{asMinor ? say("youAsked") : say("asks", { name: approval.minor_name })}</h2>
      <Lines approval={approval} />
      <Facts approval={approval} />
      {asMinor && (approval.state === "requested" ? <p class="small muted">{say("askedText")}</p> : <Notice title={sayRequestState(approval.state)} />)}
      {!asMinor && !outcome && now.agreed && now.agreed.length > 0 && <Notice tone="wait"><p class="small">{say("agreedAlready", { names: now.agreed.join(", ") })}</p></Notice>}
      {!asMinor && !outcome && <Held approval={now} deciding={deciding} />}
      {!asMinor && (outcome ? <Outcome outcome={outcome} name={approval.minor_name} /> : <Decision deciding={deciding} reload={reload} />)}
      {!asMinor && outcome?.state === "approved" && <Bank approval={now} />}
      {!asMinor && outcome?.state === "approved" && <Revoke deciding={deciding} />}
      {!asMinor && outcome && <Trouble deciding={deciding} reload={reload} />}
    </article>
  );
}

function Lines({ approval }: { approval: Approval }) {
  return (
    <ul class="stack">
      {approval.lines.map((line) => (
        <li class="order-line" key={line.offer}>
          <ProductPicture image={line.image} title={line.title ?? "?"} />
          <div><strong>{line.title ?? line.offer}</strong><span class="small muted figures">{say("pieces", { n: line.quantity })}{line.price ? ` · ${money(times(line.price, line.quantity))}` : ""}</span></div>
        </li>
      ))}
    </ul>
  );
}

function Facts({ approval }: { approval: Approval }) {
  const to = approval.ship_to;
  return (
    <dl class="facts">
      <div><dt>{say("madeOf")}</dt><dd><Sums of={approval} /></dd></div>
      <div class="facts-total"><dt>{say("total")}</dt><dd class="figures">{money(approval.total)}</dd></div>
      <div><dt>{say("seller")}</dt><dd>{approval.payee}</dd></div>
      {to && <div><dt>{say("goesTo")}</dt><dd>{to.name}, {to.street}, {to.postal_code} {to.city}, {to.country}</dd></div>}
      <div><dt>{say("until")}</dt><dd><TimeOf time={approval.expires_at}>{dayAndTime(approval.expires_at)}</TimeOf></dd></div>
    </dl>
  );
}

/** Until when the units are held, and the one time it can be made longer; without a countdown, nothing urges. */
function Held({ approval, deciding }: { approval: Approval; deciding: Deciding }) {
  if (!approval.held_until) return <p class="small muted">{say("notHeld")}</p>;
  return (
    <div class="held">
      <p class="small muted"><TimeOf time={approval.held_until}>{say("heldUntil", { time: dayAndTime(approval.held_until) })}</TimeOf></p>
      {approval.may_extend && <button type="button" class="button button-small" data-testid="extend" disabled={deciding.busy.value !== null} onClick={() => void deciding.extend()}>{say("extend")}</button>}
    </div>
  );
}

function Revoke({ deciding }: { deciding: Deciding }) {
  return (
    <div class="held">
      <p class="small muted">{say("revokeMeans")}</p>
      <button type="button" class="button button-small" data-testid="revoke" disabled={deciding.busy.value !== null} onClick={() => void deciding.revoke()}>{say("revoke")}</button>
    </div>
  );
}

function Decision({ deciding, reload }: { deciding: Deciding; reload: () => void }) {
  const busy = deciding.busy.value;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const token = tokenOf(form);
    const typed = (name: string): string => String(new FormData(form).get(name) ?? "");
    if (deciding.needsPassword.value) void deciding.confirm(typed("password"), typed("code"), token);
    else void deciding.approve(token);
  };
  return (
    <form class="stack" onSubmit={submit}>
      <details class="pay-details"><summary>{say("payWith")}</summary><PaymentChoice /></details>
      <details><summary>{say("rules")}</summary><p class="small muted">{say("rulesText")}</p></details>
      {deciding.needsPassword.value && <Proof coded={deciding.stepUp.coded.value} anew={() => { deciding.stepUp.coded.value = false; }} byPasskey={(form) => void deciding.confirmByPasskey(tokenOf(form))} />}
      <Trouble deciding={deciding} reload={reload} />
      <div class="answers">
        <button type="button" class="button" data-testid="decline" disabled={busy !== null} onClick={() => void deciding.decline()}>{say("decline")}<span class="tiny">{say("declineMeans")}</span></button>
        <button class="button button-calm" data-testid="approve" disabled={busy !== null}>{say("approve")}<span class="tiny figures">{say("approveMeans", { total: money(deciding.approval.total) })}</span></button>
      </div>
    </form>
  );
}

const tokenOf = (form: HTMLFormElement): string => String(new FormData(form).get("token") ?? "pm_ok");

function Proof({ byPasskey, coded, anew }: { byPasskey: (form: HTMLFormElement) => void; coded: boolean; anew: () => void }) {
  const [offered, setOffered] = useState(false);
  useEffect(() => { void hasPasskey().then(setOffered, () => undefined); }, []);
  return (
    <Notice tone="wait" title={sayAll("proof")}>
      <p class="small">{sayAll("proofText")}</p>
      <label class="field"><span>{sayAll("proofPassword")}</span><input name="password" type="password" required autocomplete="current-password" data-testid="step-up-password" ref={focusOnce} /></label>
      {coded && <CodeField anew={anew} />}
      {offered && <button type="button" class="button" data-testid="step-up-passkey" onClick={(event) => byPasskey(event.currentTarget.form as HTMLFormElement)}>{sayAll("proofPasskey")}</button>}
    </Notice>
  );
}

const focusOnce = (field: HTMLInputElement | null): void => { if (field && !field.value) field.focus(); };

function Trouble({ deciding, reload }: { deciding: Deciding; reload: () => void }) {
  const error = deciding.refusal.value;
  if (error === null) return null;
  if (isStale(error)) {
    return <Notice tone="wait" title={say("changed")}><button type="button" class="button button-small" onClick={reload}>{say("lookAgain")}</button></Notice>;
  }
  const text = error instanceof Refused && error.code === "unauthenticated" ? sayAll(deciding.stepUp.coded.value ? "proofWrongCode" : "proofWrong") : `${sorryFor(error)} ${detailOf(error)}`;
  return <Notice tone="fault"><p>{text}</p></Notice>;
}

function Outcome({ outcome, name }: { outcome: Approval; name: string }) {
  if (outcome.state === "declined") return <Notice title={say("declined")}><p class="small">{say("declinedText", { name })}</p></Notice>;
  if (outcome.state !== "approved" && outcome.state !== "consumed") return <Notice title={sayRequestState(outcome.state)} />;
  return <Notice tone="calm" title={say("approved")}><p class="small">{say("approvedText", { name })}</p></Notice>;
}
