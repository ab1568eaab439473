/** The first page: what is on air, what comes next, what can be watched again. */
import { CalendarPlus, Eye, Play, Radio } from "lucide-preact";
import { get } from "../lib/api";
import { serverNow, tickingNow } from "../lib/clock";
import { clockTime, dayAndTime, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { priceNow, soldOut } from "../lib/offers";
import { Empty, Failed, Loading, ProductPicture, Roll } from "../lib/pieces";
import type { Listed, Offer, Show } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll } from "../lib/words";
import { calendarOf } from "./calendar";
import "./home.css";
import { Preview } from "./preview";
import { say } from "./words";

const LOOK_MS = 5000;

interface Programme { live: Show[]; next: Show[]; ended: Show[] }

const programme = source<Programme>(async () => {
  const [live, next, ended] = await Promise.all([shows("live"), shows("scheduled"), shows("ended").catch(() => [])]);
  return { live, next, ended };
});

const shows = async (state: string): Promise<Show[]> => (await get<Listed<Show>>(`/shows?state=${state}&limit=200`)).items;

function Home() {
  const state = programme.state.value;
  return (
    <Frame here="/">
      <header class="page-head"><h1>{say("title")}</h1><p>{say("lead")}</p></header>
      {state.kind === "loading" && <Loading heights={["420px", "96px"]} />}
      {state.kind === "failed" && <Failed error={state.error} retry={() => void programme.load()} />}
      {state.kind === "here" && <OnAir {...state.value} />}
    </Frame>
  );
}

function OnAir({ live, next, ended }: Programme) {
  const [first, ...others] = live;
  return (
    <>
      {first ? <Tile show={first} large /> : <div class="card"><Empty icon={Radio} title={say("noneTitle")}><p>{say("noneText")}</p></Empty></div>}
      {others.length > 0 && <section class="stack"><h2>{say("alsoLive")}</h2><div class="tiles">{others.map((show) => <Tile key={show.id} show={show} />)}</div></section>}
      <section class="stack"><h2>{say("next")}</h2>{next.length > 0 ? <ul class="card coming">{next.map((show) => <Coming key={show.id} show={show} />)}</ul> : <p class="muted">{say("noNext")}</p>}</section>
      <section class="stack"><h2>{say("replays")}</h2>{ended.length > 0 ? <div class="tiles">{ended.map((show) => <Ended key={show.id} show={show} />)}</div> : <p class="muted">{say("emptyReplays")}</p>}</section>
    </>
  );
}

function Tile({ show, large }: { show: Show; large?: boolean }) {
  const pinned = show.offers.find((offer) => offer.id === show.pins[0]) ?? show.offers[0];
  return (
    <a class={large ? "tile tile-large stage" : "tile stage"} href={`/watch/${show.id}`} data-testid="live-show">
      <div class="tile-picture">{large ? <Preview show={show.id} title={show.title} /> : <ProductPicture image={pinned?.image} title={show.title} />}</div>
      <div class="tile-over">
        <span class="on-air">{sayAll("onAir")}</span>
        <span class="chip"><Eye size={14} aria-hidden="true" />{sayAll("viewers", { n: show.viewers ?? 0 })}</span>
      </div>
      <div class="tile-under">
        <div class="tile-title"><h2>{show.title}</h2><p class="small muted">{show.shop}{show.started_at ? ` · ${say("startedAt", { time: clockTime(show.started_at) })}` : ""}</p></div>
        {large && pinned && <OnTable show={show} offer={pinned} />}
        {large && <span class="button button-solid"><Play size={16} aria-hidden="true" />{say("watch")}</span>}
      </div>
    </a>
  );
}

function OnTable({ show, offer }: { show: Show; offer: Offer }) {
  return (
    <div class="on-table">
      <ProductPicture image={offer.image} title={offer.title} />
      <div>
        <span class="tiny muted">{say("now")}</span>
        <span class="on-table-title">{offer.title}</span>
        <strong class="tile-price">{soldOut(offer) ? say("sold") : <Roll>{money(priceNow(offer, show.deal, tickingNow()).price)}</Roll>}</strong>
      </div>
    </div>
  );
}

function Coming({ show }: { show: Show }) {
  const save = (): void => {
    const file = new Blob([calendarOf(show, location.origin, serverNow())], { type: "text/calendar" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${show.id}.ics` });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <li>
      <time class="coming-when">{dayAndTime(show.starts_at)}</time>
      <a href={`/watch/${show.id}`}><strong>{show.title}</strong><span class="small muted">{show.shop}</span></a>
      <button type="button" class="button button-small" onClick={save}><CalendarPlus size={16} aria-hidden="true" />{say("remind")}</button>
    </li>
  );
}

function Ended({ show }: { show: Show }) {
  const first = show.offers[0];
  return (
    <a class="ended" href={`/watch/${show.id}`}>
      <ProductPicture image={first?.image} title={show.title} />
      <strong>{show.title}</strong>
      <span class="small muted">{show.shop} · {dayAndTime(show.ended_at ?? show.started_at)}</span>
    </a>
  );
}

void programme.load();
everyWhileSeen(LOOK_MS, () => void programme.load());
mount(Home, () => say("title"));
