/** The first page: what is on air, what comes next, what has been. */
import { effect, signal } from "@preact/signals";
import { CalendarCheck, CalendarPlus, Eye, Play, Radio } from "lucide-preact";
import { get } from "../lib/api";
import { serverNow, tickingNow } from "../lib/clock";
import { clockTime, count, dayAndTime, lasting, money } from "../lib/format";
import { toMs } from "../lib/time";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { priceNow, soldOut } from "../lib/offers";
import { Empty, Failed, Loading, ProductPicture, Roll } from "../lib/pieces";
import { Preview } from "../lib/preview";
import { calm, me } from "../lib/session";
import type { Listed, Offer, Show } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll, sayState } from "../lib/words";
import { calendarOf } from "./calendar";
import "./home.css";
import { comingUp, featured, ranked } from "./programme";
import { say } from "./words";

const LOOK_MS = 5000;
const ENDED_SHOWN = 8;

interface Programme { live: Show[]; next: Show[]; ended: Show[] }

const programme = source<Programme>(async () => {
  const [live, next, ended] = await Promise.all([shows("live", 200), shows("scheduled", 200), shows("ended", ENDED_SHOWN).catch(() => [])]);
  return { live, next: comingUp(next, serverNow()), ended };
});

const shows = async (state: string, limit: number): Promise<Show[]> => (await get<Listed<Show>>(`/shows?state=${state}&limit=${limit}`)).items;

/** The show in the large tile; it keeps its place while it can. */
const large = signal<string | null>(null);

effect(() => {
  const state = programme.state.value;
  if (state.kind === "here") large.value = featured(state.value.live, large.peek())?.id ?? null;
});

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
  const first = live.find((show) => show.id === large.value);
  const others = ranked(live.filter((show) => show !== first));
  return (
    <>
      {first ? <LargeTile show={first} /> : <Nobody next={next[0]} />}
      {others.length > 0 && <section class="stack"><h2>{say("alsoLive")}</h2><div class="tiles">{others.map((show) => <Tile key={show.id} show={show} />)}</div></section>}
      <section class="stack"><h2>{say("next")}</h2>{next.length > 0 ? <ul class="card coming">{next.map((show) => <Coming key={show.id} show={show} />)}</ul> : <p class="muted">{say("noNext")}</p>}</section>
      {ended.length > 0 && <section class="stack"><h2>{say("ended")}</h2><p class="small muted">{say("endedNote")}</p><ul class="card ended">{ended.map((show) => <Ended key={show.id} show={show} />)}</ul></section>}
    </>
  );
}

function Nobody({ next }: { next: Show | undefined }) {
  return (
    <div class="card">
      <Empty icon={Radio} title={say("noneTitle")}>
        <p>{say("noneText")}</p>
        {next && <p class="nobody-next"><strong>{next.title}</strong><span class="figures">{dayAndTime(next.starts_at)}</span><Remind show={next} /></p>}
      </Empty>
    </div>
  );
}

const pinnedOf = (show: Show): Offer | undefined => show.offers.find((offer) => offer.id === show.pins[0]) ?? show.offers[0];

/** Without a host's picture, and for whoever wants no motion, the product on the table stands for it. */
function LargeTile({ show }: { show: Show }) {
  const pinned = pinnedOf(show);
  const moves = show.picture && show.state === "live" && me.value !== undefined && !calm.value;
  return (
    <a class="tile tile-large stage" href={`/watch/${show.id}`} data-testid="live-show">
      <div class="tile-picture">
        <ProductPicture image={pinned?.image} title={show.title} />
        {moves && <Preview show={show.id} title={show.title} />}
      </div>
      <Over show={show} />
      <div class="tile-under">
        <div class="tile-title"><h2>{show.title}</h2><p class="small muted">{show.shop}{show.started_at ? ` · ${say("startedAt", { time: clockTime(show.started_at) })}` : ""}</p></div>
        {pinned && <OnTable show={show} offer={pinned} />}
        <span class="button button-solid"><Play size={16} aria-hidden="true" />{say("watch")}</span>
      </div>
    </a>
  );
}

function Tile({ show }: { show: Show }) {
  const pinned = pinnedOf(show);
  return (
    <a class="tile stage" href={`/watch/${show.id}`} data-testid="live-show">
      <div class="tile-picture"><ProductPicture image={pinned?.image} title={show.title} /></div>
      <Over show={show} />
      <div class="tile-under">
        <div class="tile-title">
          <h3>{show.title}</h3>
          <p class="tile-line small"><span class="muted">{pinned?.title ?? show.shop}</span>{pinned && <Price show={show} offer={pinned} />}</p>
        </div>
      </div>
    </a>
  );
}

function Over({ show }: { show: Show }) {
  const viewers = show.viewers ?? 0;
  return (
    <div class="tile-over">
      {show.state === "paused" ? <span class="chip">{sayState("show", "paused")}</span> : <span class="on-air">{sayAll("onAir")}</span>}
      {!show.picture && show.state === "live" && <span class="chip">{say("noPicture")}</span>}
      {viewers > 0 && <span class="chip"><Eye size={14} aria-hidden="true" /><span aria-hidden="true">{count(viewers)}</span><span class="visually-hidden">{sayAll("viewers", { n: viewers })}</span></span>}
    </div>
  );
}

function OnTable({ show, offer }: { show: Show; offer: Offer }) {
  return (
    <div class="on-table">
      <ProductPicture image={offer.image} title={offer.title} />
      <div>
        <span class="tiny muted">{say("now")}</span>
        <span class="on-table-title">{offer.title}</span>
        <Price show={show} offer={offer} />
      </div>
    </div>
  );
}

function Price({ show, offer }: { show: Show; offer: Offer }) {
  return <strong class="tile-price figures">{soldOut(offer) ? say("sold") : <Roll>{money(priceNow(offer, show.deal, tickingNow()).price)}</Roll>}</strong>;
}

const reminded = signal<ReadonlySet<string>>(new Set());

function Remind({ show }: { show: Show }) {
  const done = reminded.value.has(show.id);
  const save = (): void => {
    const file = new Blob([calendarOf(show, location.origin, serverNow())], { type: "text/calendar" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${show.id}.ics` });
    link.click();
    URL.revokeObjectURL(link.href);
    reminded.value = new Set([...reminded.value, show.id]);
  };
  return (
    <button type="button" class="button button-small" onClick={save} data-testid="remind" aria-label={`${say(done ? "reminded" : "remind")}: ${show.title}`}>
      {done ? <CalendarCheck size={16} aria-hidden="true" /> : <CalendarPlus size={16} aria-hidden="true" />}{say(done ? "reminded" : "remind")}
    </button>
  );
}

function Coming({ show }: { show: Show }) {
  return (
    <li>
      <time class="coming-when figures" dateTime={String(show.starts_at)}>{dayAndTime(show.starts_at)}</time>
      <a href={`/watch/${show.id}`}><strong>{show.title}</strong><span class="small muted">{show.shop}</span></a>
      <Remind show={show} />
    </li>
  );
}

function Ended({ show }: { show: Show }) {
  const [began, over] = [toMs(show.started_at), toMs(show.ended_at)];
  const lasted = began !== null && over !== null ? ` · ${say("lasted", { time: lasting(over - began) })}` : "";
  return (
    <li>
      <ProductPicture image={show.offers[0]?.image} title={show.title} />
      <span class="ended-text"><strong>{show.title}</strong><span class="small muted figures">{show.shop} · {dayAndTime(show.ended_at ?? show.started_at)}{lasted}</span></span>
      <span class="chip">{sayState("show", "ended")}</span>
    </li>
  );
}

void programme.load();
everyWhileSeen(LOOK_MS, () => void programme.load());
mount(Home, () => say("title"));
