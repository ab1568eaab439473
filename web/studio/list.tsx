/** /studio: one's own shows, and a new one. */
import { Clapperboard } from "lucide-preact";
import { signal } from "@preact/signals";
import { get, post } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { source } from "../lib/loading";
import { Empty, Failed, Loading, Notice } from "../lib/pieces";
import { me, signInAddress } from "../lib/session";
import type { Listed, Show } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { sorryFor } from "../lib/sorry";
import { say as sayAll, sayState } from "../lib/words";
import { Prices } from "./prices";
import { Sold } from "./sold";
import { say } from "./words";

/** Only whoever may send a show's picture is told where to send it. */
const mine = source<Show[]>(async () => (await get<Listed<Show>>("/shows?limit=100")).items.filter((show) => show.whip));
const refusal = signal<unknown>(null);

export function ShowList() {
  const who = me.value;
  if (who === null) return <Frame here="/studio" width="narrow"><Empty icon={Clapperboard} title={say("title")}><p>{say("lead")}</p><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></Frame>;
  if (who && !who.roles.includes("host") && !who.roles.includes("operator")) {
    return <Frame here="/studio" width="narrow"><Empty icon={Clapperboard} title={say("notHost")}><p>{say("notHostText")}</p></Empty></Frame>;
  }
  const state = mine.state.value;
  return (
    <Frame here="/studio">
      <header class="page-head"><h1>{say("title")}</h1><p>{say("lead")}</p></header>
      <div class="studio-list">
        <section class="stack">
          <h2>{say("yourShows")}</h2>
          {state.kind === "loading" && <Loading heights={["72px", "72px"]} />}
          {state.kind === "failed" && <Failed error={state.error} retry={() => void mine.load()} />}
          {state.kind === "here" && (state.value.length > 0
            ? <ul class="card show-rows">{state.value.map((show) => <ShowRow key={show.id} show={show} />)}</ul>
            : <div class="card"><Empty icon={Clapperboard} title={say("none")}><p>{say("noneText")}</p></Empty></div>)}
          {knownShops().map((shop) => <Sold key={shop} shop={shop} />)}
          {knownShops().map((shop) => <Prices key={shop} shop={shop} />)}
        </section>
        <NewShow />
      </div>
    </Frame>
  );
}

function ShowRow({ show }: { show: Show }) {
  return (
    <li>
      <span class="show-row-text"><strong>{show.title}</strong><span class="small muted">{show.shop}{show.starts_at ? ` · ${dayAndTime(show.starts_at)}` : ""}</span></span>
      {show.state === "live" ? <span class="on-air">{sayAll("onAir")}</span> : <span class="chip">{sayState("show", show.state)}</span>}
      <a class="button button-small" href={`/studio/${show.id}`}>{say("open")}</a>
    </li>
  );
}

function NewShow() {
  const shops = knownShops();
  return (
    <form class="card new-show fields" onSubmit={(event) => { event.preventDefault(); void create(new FormData(event.currentTarget as HTMLFormElement)); }}>
      <h2>{say("newShow")}</h2>
      {refusal.value !== null && <Notice tone="fault"><p>{sorryFor(refusal.value)}</p></Notice>}
      <label class="field"><span>{say("showTitle")}</span><input name="title" required maxLength={120} autocomplete="off" /></label>
      <label class="field"><span>{say("shop")}</span><input name="shop" required defaultValue={shops[0] ?? "demo"} list="shops" /></label>
      <datalist id="shops">{shops.map((shop) => <option key={shop} value={shop} />)}</datalist>
      <label class="field"><span>{say("currency")}</span><select name="currency">{["EUR", "CHF", "GBP", "USD", "PLN", "SEK", "CZK", "DKK"].map((code) => <option key={code}>{code}</option>)}</select></label>
      <label class="field"><span>{say("startsAt")}</span><input name="starts_at" type="datetime-local" /></label>
      <button class="button button-solid button-wide" data-testid="create-show">{say("create")}</button>
    </form>
  );
}

function knownShops(): string[] {
  const state = mine.state.value;
  const own = state.kind === "here" ? state.value.map((show) => show.shop) : [];
  return [...new Set([...(me.value?.shops ?? []), ...own])];
}

async function create(data: FormData): Promise<void> {
  refusal.value = null;
  const at = String(data.get("starts_at") ?? "");
  const body = { title: data.get("title"), shop: data.get("shop"), currency: data.get("currency"), ...(at ? { starts_at: new Date(at).toISOString() } : {}) };
  try {
    const show = await post<Show>("/shows", body);
    location.assign(`/studio/${show.id}`);
  } catch (error) {
    refusal.value = error;
  }
}

export const loadShows = (): void => void mine.load();
