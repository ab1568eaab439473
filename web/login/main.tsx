/** Signing in and registering; afterwards back to where one came from. */
import { signal } from "@preact/signals";
import { post } from "../lib/api";
import { CountryChoice } from "../lib/country";
import { language } from "../lib/i18n";
import { mount } from "../lib/mount";
import { Notice } from "../lib/pieces";
import { passkeysWork, signInByPasskey, wasCancelled } from "../lib/passkey";
import { Refused } from "../lib/refused";
import { me, safeNext } from "../lib/session";
import { Frame } from "../lib/shell";
import { sorryFor } from "../lib/sorry";
import "./login.css";
import { AccountCard } from "./account";
import { bandOf } from "./age";
import { say } from "./words";

const SHORTEST_PASSWORD = 8;

const registering = signal(new URLSearchParams(location.search).has("register"));
const busy = signal(false);
const refusal = signal<unknown>(null);
const born = signal("");
const country = signal(language.value === "de" ? "DE" : "GB");

/** The secret of a mailed link. Opening the page uses nothing up, as mail scanners do: it takes a press. */
const secret = signal(new URLSearchParams(location.hash.slice(1)).get("link"));
const mailedTo = signal<string | null>(null);

function Entry({ link }: { link: string }) {
  return (
    <div class="card sign-in">
      <header class="page-head"><h1>{say("title")}</h1><p>{say("linkText")}</p></header>
      {refusal.value !== null && <Notice tone="fault"><p>{sorryFor(refusal.value)}</p></Notice>}
      <button type="button" class="button button-solid button-wide" disabled={busy.value} onClick={() => void useLink(link)} data-testid="use-link">{say("signIn")}</button>
      <button type="button" class="button" onClick={() => { secret.value = null; refusal.value = null; }}>{say("otherWay")}</button>
    </div>
  );
}

function useLink(link: string): Promise<void> {
  history.replaceState(null, "", location.pathname + location.search);
  return enterBy(() => post("/session/link/enter", { secret: link }));
}

async function mailLink(form: HTMLFormElement): Promise<void> {
  const email = form.elements.namedItem("email") as HTMLInputElement;
  if (!email.reportValidity()) return;
  refusal.value = null;
  try {
    await post("/session/link", { email: email.value });
    mailedTo.value = email.value;
  } catch (error) {
    refusal.value = error;
  }
}

function Login() {
  const fresh = registering.value;
  if (secret.value) return <Frame here="/login" width="narrow"><Entry link={secret.value} /></Frame>;
  return (
    <Frame here="/login" width="narrow">
      <div class="card sign-in">
        <header class="page-head"><h1>{say(fresh ? "register" : "title")}</h1><p>{say("guestNote")}</p></header>
        {me.value && (
          <Notice tone="calm" title={say("hello", { name: me.value.name })}><a class="button" href={safeNext(location.search)}>{say("goOn")}</a></Notice>
        )}
        <form class="fields" onSubmit={submit} key={String(fresh)}>
          {fresh && <Field name="name" label={say("name")} fill="name" />}
          <Field name="email" label={say("email")} fill="username" type="email" />
          <Field name="password" label={say("password")} type="password" fill={fresh ? "new-password" : "current-password"} note={fresh ? say("passwordNote") : undefined} least={fresh ? SHORTEST_PASSWORD : undefined} />
          {fresh && <Born />}
          {fresh && <CountryChoice chosen={country.value} label={say("country")} choose={(code) => { country.value = code; }} />}
          {fresh && country.value === "US" && <Field name="region" label={say("region")} fill="address-level1" note={say("regionNote")} form="[A-Z]{2}" />}
          {refusal.value !== null && <Notice tone="fault"><p>{why(refusal.value)}</p></Notice>}
          <button class="button button-solid button-wide" disabled={busy.value} data-testid="submit">{say(busy.value ? "busy" : fresh ? "create" : "signIn")}</button>
          {!fresh && <button type="button" class="button button-wide" disabled={busy.value} onClick={(event) => void mailLink(event.currentTarget.form as HTMLFormElement)} data-testid="mail-link">{say("mailLink")}</button>}
        </form>
        {!fresh && passkeysWork() && <button type="button" class="button button-wide" disabled={busy.value} onClick={() => void enterBy(signInByPasskey)} data-testid="sign-in-passkey">{say("withPasskey")}</button>}
        {mailedTo.value && <Notice tone="calm"><p>{say("linkSent", { email: mailedTo.value })}</p></Notice>}
        <p class="row">
          <span class="muted">{say(fresh ? "switchToSignIn" : "switchToRegister")}</span>
          <button type="button" class="button button-small" onClick={() => { registering.value = !fresh; refusal.value = null; }}>{say(fresh ? "signIn" : "register")}</button>
        </p>
      </div>
      {me.value && <AccountCard />}
    </Frame>
  );
}

/** The age group is said before it is sent, and what it means; of the date the server keeps nothing else. */
function Born() {
  const band = bandOf(born.value, new Date());
  return (
    <>
      <Field name="born" label={say("born")} type="date" fill="bday" note={say("bornNote")} input={(value) => { born.value = value; }} />
      {band && band !== "adult" && <Notice tone="calm"><p class="small">{say(band === "under7" ? "minorUnder7" : "minorNote")}</p></Notice>}
    </>
  );
}

interface FieldProps { name: string; label: string; fill: string; type?: string; note?: string | undefined; least?: number | undefined; form?: string; input?: (value: string) => void }

function Field({ name, label, fill, type = "text", note, least, form, input }: FieldProps) {
  const fault = refusal.value instanceof Refused ? refusal.value.faultOf(name) : null;
  return (
    <label class="field">
      <span>{label}</span>
      <input name={name} type={type} required={form === undefined} pattern={form} autocomplete={fill} minLength={least} aria-invalid={fault ? "true" : undefined} onInput={input && ((event) => input(event.currentTarget.value))} />
      {note && <span class="tiny muted">{note}</span>}
      {fault && <span class="field-fault">{fault}</span>}
    </label>
  );
}

function submit(event: SubmitEvent): void {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Record<string, string>;
  void enter(data);
}

function enter(data: Record<string, string>): Promise<void> {
  return enterBy(async () => {
    if (registering.value) await post("/accounts", data);
    await post("/session", { email: data.email, password: data.password });
  });
}

const byPasskey = signal(false);

async function enterBy(proof: () => Promise<unknown>): Promise<void> {
  busy.value = true;
  refusal.value = null;
  byPasskey.value = proof === signInByPasskey;
  try {
    await proof();
    location.assign(safeNext(location.search));
  } catch (error) {
    if (!wasCancelled(error)) refusal.value = error;
    busy.value = false;
  }
}

function why(error: unknown): string {
  if (error instanceof Refused && error.code === "unauthenticated") return say(byPasskey.value ? "noPasskey" : "wrong");
  if (error instanceof Refused && error.code === "conflict") return say(registering.value ? "taken" : "noMails");
  return sorryFor(error);
}

mount(Login, () => say("title"));
