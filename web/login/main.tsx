/** Signing in and registering; afterwards back to where one came from. */
import { signal } from "@preact/signals";
import { post } from "../lib/api";
import { CountryChoice } from "../lib/country";
import { language } from "../lib/i18n";
import { mount } from "../lib/mount";
import { Notice } from "../lib/pieces";
import { Refused } from "../lib/refused";
import { me, safeNext } from "../lib/session";
import { Frame } from "../lib/shell";
import { sorryFor } from "../lib/sorry";
import { say } from "./words";

const registering = signal(new URLSearchParams(location.search).has("register"));
const busy = signal(false);
const refusal = signal<unknown>(null);

function Login() {
  const fresh = registering.value;
  return (
    <Frame here="/login" narrow>
      <header class="page-head"><h1>{say(fresh ? "register" : "title")}</h1><p>{say("guestNote")}</p></header>
      {me.value && (
        <Notice tone="calm" title={say("hello", { name: me.value.name })}><a class="button" href={safeNext(location.search)}>{say("goOn")}</a></Notice>
      )}
      {refusal.value !== null && <Notice tone="fault"><p>{why(refusal.value)}</p></Notice>}
      <form class="fields" onSubmit={submit} key={String(fresh)}>
        {fresh && <Field name="name" label={say("name")} fill="name" />}
        <Field name="email" label={say("email")} fill="username" type="email" />
        <Field name="password" label={say("password")} type="password" fill={fresh ? "new-password" : "current-password"} note={fresh ? say("passwordNote") : undefined} />
        {fresh && <Field name="born" label={say("born")} type="date" fill="bday" note={say("bornNote")} />}
        {fresh && <CountryChoice chosen={language.value === "de" ? "DE" : "GB"} label={say("country")} />}
        <button class="button button-solid button-wide" disabled={busy.value} data-testid="submit">{say(busy.value ? "busy" : fresh ? "create" : "signIn")}</button>
      </form>
      <p class="row">
        <span class="muted">{say(fresh ? "switchToSignIn" : "switchToRegister")}</span>
        <button type="button" class="button button-small" onClick={() => { registering.value = !fresh; refusal.value = null; }}>{say(fresh ? "signIn" : "register")}</button>
      </p>
    </Frame>
  );
}

function Field({ name, label, fill, type = "text", note }: { name: string; label: string; fill: string; type?: string; note?: string | undefined }) {
  const fault = refusal.value instanceof Refused ? refusal.value.faultOf(name) : null;
  return (
    <label class="field">
      <span>{label}</span>
      <input name={name} type={type} required autocomplete={fill} aria-invalid={fault ? "true" : undefined} />
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

async function enter(data: Record<string, string>): Promise<void> {
  busy.value = true;
  refusal.value = null;
  try {
    if (registering.value) await post("/accounts", data);
    await post("/session", { email: data.email, password: data.password });
    location.assign(safeNext(location.search));
  } catch (error) {
    refusal.value = error;
    busy.value = false;
  }
}

function why(error: unknown): string {
  if (error instanceof Refused && error.code === "unauthenticated") return say("wrong");
  if (error instanceof Refused && error.code === "conflict") return say("taken");
  return sorryFor(error);
}

mount(Login, () => say("title"));
