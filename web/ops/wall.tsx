/** The wall of shows: a tile for each that is on, a line for each that is not. Every number leads to its events. */
import { signal } from "@preact/signals";
import { Eye, EyeOff } from "lucide-preact";
import { get } from "../lib/api";
import { count, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { ProductPicture } from "../lib/pieces";
import { Preview } from "../lib/preview";
import type { Listed, OpsShow, Show } from "../lib/shapes";
import { sayState } from "../lib/words";
import { Spark } from "./spark";
import { openTrail } from "./trailpanel";
import { isOn, ordersInAll, troubleOf } from "./watchfor";
import { say } from "./words";

const LOOK_MS = 10_000;

/** What lies on each show's table: the quiet thumbnail, which costs no viewer's place at the hub. */
const tables = source<Record<string, string | null>>(async () => {
  const { items } = await get<Listed<Show>>("/shows?state=live&limit=50");
  return Object.fromEntries(items.map(({ id, offers, pins }) => [id, (offers.find((offer) => offer.id === pins[0]) ?? offers[0])?.image ?? null]));
});
void tables.load();
everyWhileSeen(LOOK_MS, () => void tables.load());

const lookingInto = signal<string | null>(null);

export function Shows({ shows }: { shows: OpsShow[] }) {
  const on = shows.filter(isOn);
  const off = shows.filter((show) => !isOn(show));
  return (
    <>
      <section class="stack">
        <h2>{say("shows")}</h2>
        {on.length === 0 ? <p class="muted">{say("none")}</p> : <ul class="wall">{on.map((show) => <ShowTile key={show.id} show={show} />)}</ul>}
      </section>
      {off.length > 0 && <section class="stack"><h2>{say("others")}</h2><ul class="card others">{off.map((show) => <OtherShow key={show.id} show={show} />)}</ul></section>}
    </>
  );
}

interface Row { label: string; hint: string; value: string; actions: string[]; spark?: string; hand?: boolean }

function ShowTile({ show }: { show: OpsShow }) {
  const trouble = troubleOf(show);
  const picture = show.host === "live";
  const rows: Row[] = [
    { label: say("viewers"), hint: say("viewersHint"), value: count(show.viewers), actions: ["show.", "studio."], spark: "viewers" },
    { label: say("bitrate"), hint: say("bitrateHint"), value: picture ? `${count(show.bitrate_kbps)} kbit/s` : "–", actions: ["show.", "studio."], spark: "kbps", hand: trouble === "thin" },
    { label: say("orders"), hint: say("ordersHint"), value: count(ordersInAll(show.orders)), actions: ["order."], spark: "orders" },
    { label: say("delay"), hint: say("delayHint"), value: show.media_delay_ms === null ? "–" : `${count(show.media_delay_ms)} ms`, actions: ["show.", "studio."], hand: trouble === "late" },
    { label: say("revenue"), hint: say("revenueHint"), value: money(show.revenue), actions: ["payment.", "order.paid"] },
    { label: say("left"), hint: say("leftHint"), value: count(show.stock_left), actions: ["transfer.", "stock.", "offer.", "order."] },
  ];
  return (
    <li class="card wall-show" data-hand={trouble ? "" : undefined}>
      <Look show={show} />
      <header><a href={`/watch/${show.id}`}><strong>{show.title}</strong></a><Condition show={show} /></header>
      {show.warnings && <p class="tiny wall-warning">{show.warnings}</p>}
      <div class="wall-numbers">
        {rows.map(({ label, hint, value, actions, spark, hand }) => (
          <button type="button" key={label} title={hint} data-hand={hand ? "" : undefined} onClick={() => openTrail({ title: `${label}: ${show.title}`, hint, shelf: `show:${show.id}`, actions })}>
            <span class="tiny muted">{label}</span><strong class="figures">{value}</strong>{spark && <Spark name={`${show.id}:${spark}`} />}
          </button>
        ))}
      </div>
    </li>
  );
}

function Look({ show }: { show: OpsShow }) {
  const state = tables.state.value;
  const looking = lookingInto.value === show.id;
  return (
    <div class="wall-picture stage">
      <ProductPicture image={state.kind === "here" ? state.value[show.id] : null} title={show.title} />
      {looking && <Preview show={show.id} title={show.title} />}
      {show.host === "live" && (
        <button type="button" class="button button-small" aria-pressed={looking} title={say("lookHint")} onClick={() => { lookingInto.value = looking ? null : show.id; }}>
          {looking ? <EyeOff size={14} aria-hidden="true" /> : <Eye size={14} aria-hidden="true" />}{say("look")}<span class="visually-hidden">{`: ${show.title}`}</span>
        </button>
      )}
    </div>
  );
}

function Condition({ show }: { show: OpsShow }) {
  const trouble = troubleOf(show);
  if (trouble) return <span class="chip chip-fault">{say(`trouble_${trouble}`)}</span>;
  if (show.state === "live" && show.host !== "live") return <span class="chip chip-wait">{say("noPicture")}</span>;
  return <span class={show.state === "live" ? "chip chip-calm" : "chip"}>{sayState("show", show.state)}</span>;
}

function OtherShow({ show }: { show: OpsShow }) {
  const trail = { title: show.title, hint: say("showHint"), shelf: `show:${show.id}`, actions: [] };
  return (
    <li class="small">
      <button type="button" onClick={() => openTrail(trail)}><strong>{show.title}</strong></button>
      <span class="chip">{sayState("show", show.state)}</span>
      <span class="figures" title={say("ordersHint")}>{say("ordersN", { n: ordersInAll(show.orders) })}</span>
      <span class="figures" title={say("revenueHint")}>{money(show.revenue)}</span>
    </li>
  );
}
