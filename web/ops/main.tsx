/** The operators' page: dense and quiet, drawn anew every two seconds. */
import { Gauge, ScrollText } from "lucide-preact";
import { effect, signal } from "@preact/signals";
import { get } from "../lib/api";
import { tickingNow } from "../lib/clock";
import { count, dayAndTime, decimal, lasting, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { Empty, Failed, Loading } from "../lib/pieces";
import { me, signInAddress } from "../lib/session";
import type { OpsProcess, OpsShow, Overview } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll, sayState } from "../lib/words";
import { LogPanel, openLog } from "./log";
import "./ops.css";
import { isHot, isLate, isThin, needsHand, ordersInAll, remembered, showsOnAir, sparkline, type Memory } from "./watchfor";
import { say } from "./words";

const LOOK_MS = 2000;
const STALE_MS = 10_000;

const overview = source<Overview>(() => get<Overview>("/ops/overview"));
const memory = signal<Memory>({});
const seenAt = signal(0);

effect(() => {
  const state = overview.state.value;
  if (state.kind !== "here") return;
  memory.value = remembered(memory.peek(), state.value);
  seenAt.value = Date.now();
});

function Ops() {
  const who = me.value;
  const state = overview.state.value;
  if (who === null || (who && !who.roles.includes("operator"))) {
    return <Frame here="/ops" narrow><Empty icon={Gauge} title={say("notOperator")}><p>{say("notOperatorText")}</p><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></Frame>;
  }
  return (
    <Frame here="/ops">
      <header class="row row-apart"><div class="page-head"><h1>{say("title")}</h1><p class="small">{say("lead")}</p></div>{state.kind === "here" && <AsOf />}</header>
      {state.kind === "loading" && <Loading heights={["96px", "240px", "200px"]} />}
      {state.kind === "failed" && <Failed error={state.error} retry={() => void overview.load()} />}
      {state.kind === "here" && <Board overview={state.value} />}
    </Frame>
  );
}

/** A page that silently shows old numbers is worse than one that shows none. */
function AsOf() {
  tickingNow();
  const time = new Date(seenAt.value).toLocaleTimeString();
  const stale = Date.now() - seenAt.value > STALE_MS;
  return <span class={stale ? "chip chip-fault" : "chip"} role="status">{say(stale ? "stale" : "updated", { time })}</span>;
}

function Board({ overview: { shows, orders, viewers, approvals_pending, processes } }: { overview: Overview }) {
  return (
    <>
      <dl class="numbers">
        <Figure name="viewers" label={say("viewers")} hint={say("viewersHint")} value={viewers} />
        <Figure name="orders" label={say("orders")} hint={say("ordersHint")} value={ordersInAll(orders)} />
        <Figure name="approvals" label={say("approvals")} hint={say("approvalsHint")} value={approvals_pending} />
        <Figure name="shows" label={say("showsOnAir")} hint={say("showsHint")} value={showsOnAir(shows)} />
      </dl>
      <Shows shows={shows} />
      <LogPanel />
      <div class="ops-pair"><States orders={orders} /><Processes processes={processes} /></div>
    </>
  );
}

function Figure({ name, label, hint, value }: { name: string; label: string; hint: string; value: number }) {
  return (
    <div title={hint}>
      <dt>{label}</dt>
      <dd class="figures" data-testid={`ops-${name}`} data-value={value}>{count(value)}</dd>
      <Spark name={name} />
    </div>
  );
}

function Spark({ name }: { name: string }) {
  return <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><polyline points={sparkline(memory.value[name] ?? [])} /></svg>;
}

function Shows({ shows }: { shows: OpsShow[] }) {
  return (
    <section class="stack">
      <h2>{say("shows")}</h2>
      {shows.length === 0 ? <p class="muted">{say("none")}</p> : <ul class="wall">{shows.map((show) => <ShowTile key={show.id} show={show} />)}</ul>}
    </section>
  );
}

function ShowTile({ show }: { show: OpsShow }) {
  const rows: { label: string; hint: string; value: string; hand?: boolean }[] = [
    { label: say("viewers"), hint: say("viewersHint"), value: count(show.viewers) },
    { label: say("bitrate"), hint: say("bitrateHint"), value: show.bitrate_kbps === null ? "–" : `${count(show.bitrate_kbps)} kbit/s`, hand: isThin(show) },
    { label: say("delay"), hint: say("delayHint"), value: show.media_delay_ms === null || show.media_delay_ms < 0 ? "–" : `${count(show.media_delay_ms)} ms`, hand: isLate(show) },
    { label: say("paidOrders"), hint: say("ordersHint"), value: count(show.orders.paid ?? 0) },
    { label: say("revenue"), hint: say("revenueHint"), value: show.revenue ? money(show.revenue) : "–" },
    { label: say("left"), hint: say("leftHint"), value: show.stock_left === null ? "–" : count(show.stock_left) },
  ];
  return (
    <li class="card wall-show" data-hand={needsHand(show) ? "" : undefined}>
      <header>
        <a href={`/watch/${show.id}`}><strong>{show.title}</strong></a>
        <span class={show.state === "live" ? "chip chip-calm" : "chip"}>{sayState("show", show.state)}</span>
      </header>
      <Spark name={`show:${show.id}`} />
      <dl>{rows.map(({ label, hint, value, hand }) => <div key={label} title={hint} data-hand={hand ? "" : undefined}><dt>{label}</dt><dd class="figures">{value}</dd></div>)}</dl>
      <button type="button" class="button button-small button-plain" aria-label={say("openLog", { title: show.title })} onClick={() => void openLog(show)}><ScrollText size={16} aria-hidden="true" />{say("events")}</button>
    </li>
  );
}

function States({ orders }: { orders: Record<string, number> }) {
  const entries = Object.entries(orders).sort(([, one], [, other]) => other - one);
  const most = Math.max(1, ...entries.map(([, n]) => n));
  return (
    <section class="stack">
      <h2>{say("orderStates")}</h2>
      {entries.length === 0 && <p class="muted">{say("noNumbers")}</p>}
      <ul class="states">
        {entries.map(([state, n]) => (
          <li key={state} title={say("statesHint")} data-state={state}><span>{state === "held" ? say("held") : sayState("state", state)}</span><i aria-hidden="true"><b style={{ width: `${(n / most) * 100}%` }} /></i><span class="figures">{count(n)}</span></li>
        ))}
      </ul>
    </section>
  );
}

function Processes({ processes }: { processes: OpsProcess[] }) {
  return (
    <section class="stack">
      <h2>{say("processes")}</h2>
      <div class="table-wrap" tabIndex={0} role="group" aria-label={say("processes")}>
        <table class="figures">
          <thead><tr><th scope="col">{say("process")}</th><th scope="col">{say("state")}</th><th scope="col" title={say("cpuHint")}>{say("cpu")}</th><th scope="col" title={say("memoryHint")}>{say("memory")}</th><th scope="col" title={say("restartsHint")}>{say("restarts")}</th><th scope="col">{say("up")}</th></tr></thead>
          <tbody>
            {processes.map((process) => (
              <tr key={`${process.name}${process.pid}`} data-hand={!process.up || isHot(process) ? "" : undefined}>
                <th scope="row" title={`${say("pid")} ${process.pid}`}>{process.name}</th>
                <td>{say(process.up ? "running" : "down")}</td><td>{decimal(process.cpu_percent)} %</td><td>{count(Math.round(process.rss_mib))} MiB</td><td>{count(process.restarts)}</td>
                <td title={dayAndTime(Date.now() - process.uptime_s * 1000)}>{lasting(process.uptime_s * 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

void overview.load();
everyWhileSeen(LOOK_MS, () => { if (me.value?.roles.includes("operator")) void overview.load(); });
mount(Ops, () => say("title"));
