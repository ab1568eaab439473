/** The account of whoever is signed in: where that is so, and which programs may act for it. */
import { useEffect } from "preact/hooks";
import { dayAndTime } from "../lib/format";
import { Failed, Loading, Notice } from "../lib/pieces";
import { passkeysWork, stepUpByPasskey } from "../lib/passkey";
import { Refused } from "../lib/refused";
import type { SignIn, Token } from "../lib/shapes";
import { detailOf, sorryFor } from "../lib/sorry";
import { CodeField } from "../lib/codefield";
import { access, busy, codeSent, end, endAll, made, makeToken, needsProof, prove, refusal, withPassword } from "./access";
import { AgeCard } from "./agecard";
import { Consents } from "./consents";
import { MyData } from "./mydata";
import { Passkeys } from "./passkeys";
import { say } from "./words";

export function AccountCard() {
  useEffect(() => { void access.load(); }, []);
  const state = access.state.value;
  if (state.kind === "loading") return <Loading heights={["240px"]} />;
  if (state.kind === "failed") return <Failed error={state.error} retry={() => void access.load()} />;
  return (
    <section class="card sign-in" data-testid="account">
      <h2>{say("account")}</h2>
      {needsProof.value && <Proof byPasskey={state.value.passkeys.length > 0 && passkeysWork()} />}
      {refusal.value !== null && <Notice tone="fault"><p>{why(refusal.value)}</p></Notice>}
      <SignIns signIns={state.value.signIns} />
      <Passkeys passkeys={state.value.passkeys} />
      <Tokens tokens={state.value.tokens} />
      <AgeCard />
      <Consents />
      <MyData />
    </section>
  );
}

function SignIns({ signIns }: { signIns: SignIn[] }) {
  return (
    <div class="stack">
      <h3>{say("signIns")}</h3>
      <ul class="access">
        {signIns.map((one) => (
          <li key={one.id} data-testid="sign-in-row">
            <span><strong>{one.device || say("unknownDevice")}</strong>{one.current && <span class="chip chip-calm">{say("thisOne")}</span>}<span class="small muted">{dayAndTime(one.created_at)}</span></span>
            {!one.current && <End id={one.id} name={one.device || say("unknownDevice")} />}
          </li>
        ))}
      </ul>
      <button type="button" class="button button-small" disabled={busy.value} onClick={() => void endAll()} data-testid="sign-out-everywhere">{say("everywhere")}</button>
    </div>
  );
}

function Tokens({ tokens }: { tokens: Token[] }) {
  return (
    <div class="stack">
      <h3>{say("tokens")}</h3>
      <p class="small muted">{say("tokensText")}</p>
      <ul class="access">
        {tokens.map((one) => (
          <li key={one.id} data-testid="token-row">
            <span><strong>{one.name || say("byOperator")}</strong><span class="small muted">{say("until", { time: dayAndTime(one.expires_at) })} · {one.scopes.join(", ") || say("everything")}</span></span>
            <End id={one.id} name={one.name || say("byOperator")} />
          </li>
        ))}
      </ul>
      {made.value && <Notice tone="calm" title={say("tokenMade", { name: made.value.name })}><p class="small">{say("tokenOnce")}</p><code class="secret" data-testid="token-secret">{made.value.token}</code></Notice>}
      <form class="row" onSubmit={(event) => { event.preventDefault(); void makeToken(String(new FormData(event.currentTarget).get("name")), TOKEN_DAYS); }}>
        <label class="field"><span>{say("tokenName")}</span><input name="name" required maxLength={100} autocomplete="off" /></label>
        <button class="button" disabled={busy.value} data-testid="make-token">{say("makeToken")}</button>
      </form>
    </div>
  );
}

const TOKEN_DAYS = 90;

function End({ id, name }: { id: string; name: string }) {
  return <button type="button" class="button button-small" disabled={busy.value} onClick={() => void end(id)} data-testid="end">{say("end")}<span class="visually-hidden"> {name}</span></button>;
}

function Proof({ byPasskey }: { byPasskey: boolean }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    void withPassword(String(data.get("password")), String(data.get("code") ?? ""));
  };
  return (
    <Notice tone="wait" title={say("prove")}>
      <form class="fields" onSubmit={submit}>
        <label class="field"><span>{say("password")}</span><input name="password" type="password" required autocomplete="current-password" data-testid="step-up-password" /></label>
        {codeSent.value && <CodeField anew={() => { codeSent.value = false; }} />}
        <button class="button button-solid" disabled={busy.value} data-testid="step-up">{say("confirm")}</button>
      </form>
      {byPasskey && <button type="button" class="button" disabled={busy.value} onClick={() => void prove(stepUpByPasskey)} data-testid="step-up-passkey">{say("withPasskey")}</button>}
    </Notice>
  );
}

function why(error: unknown): string {
  if (error instanceof Refused && error.code === "unauthenticated") return say(codeSent.value ? "wrongCode" : "wrongPassword");
  return `${sorryFor(error)} ${detailOf(error)}`;
}
