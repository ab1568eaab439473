/** The operators' page: dense and quiet, drawn anew every two seconds. */
import { Gauge } from "lucide-preact";
import { effect, signal } from "@preact/signals";
import { get } from "../lib/api";
import { tickingNow } from "../lib/clock";
import { count, dayAndTime, decimal, lasting, secondTime } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { Empty, Failed, Loading, Notice } from "../lib/pieces";
import { me, signInAddress } from "../lib/session";
import type { OpsProcess, Overview } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll, sayState } from "../lib/words";
import { Ages } from "./ages";
import "./ops.css";
import { memory, Spark } from "./spark";
import { openTrail, TrailPanel } from "./trailpanel";
import { Shows } from "./wall";
import { isHot, ordersInAll, remembered, showsOnAir } from "./watchfor";
import { say } from "./words";

const LOOK_MS = 2000;
const STALE_MS = 10_000;

const overview = source<Overview>(() => get<Overview>("/ops/overview"));
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
    return <Frame here="/ops" width="narrow"><Empty icon={Gauge} title={say("notOperator")}><p>{say("notOperatorText")}</p><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></Frame>;
  }
  return (
    <Frame here="/ops" width="wide">
      <header class="ops-head"><h1>{say("title")}</h1><p class="small muted">{say("lead")}</p>{state.kind === "here" && <AsOf />}</header>
      {state.kind === "loading" && <Loading heights={["96px", "240px", "200px"]} />}
      {state.kind === "failed" && <Failed error={state.error} retry={() => void overview.load()} />}
      {state.kind === "here" && <Board overview={state.value} />}
      {who && <Ages />}
    </Frame>
  );
}

/** A page that silently shows old numbers is worse than one that shows none. */
function AsOf() {
  tickingNow();
  const stale = Date.now() - seenAt.value > STALE_MS;
  return <span class={stale ? "chip chip-fault" : "chip"} role={stale ? "alert" : undefined}>{say(stale ? "stale" : "updated", { time: secondTime(seenAt.value) })}</span>;
}

function Board({ overview: { shows, orders, viewers, approvals_pending, mails, processes, alarms } }: { overview: Overview }) {
  return (
    <>
      {alarms.map(({ shelf, reason }) => <Notice key={shelf} tone="fault" title={say("alarm", { shelf })}><p class="small">{reason}</p></Notice>)}
      <div class="numbers">
        <Figure name="viewers" label={say("viewers")} hint={say("viewersHint")} value={viewers} actions={["show.", "studio."]} />
        <Figure name="orders" label={say("orders")} hint={say("ordersHint")} value={ordersInAll(orders)} actions={["order."]} />
        <Figure name="approvals" label={say("approvals")} hint={say("approvalsHint")} value={approvals_pending} actions={["approval."]} />
        <Figure name="shows" label={say("showsOnAir")} hint={say("showsHint")} value={showsOnAir(shows)} actions={["show."]} />
      </div>
      <TrailPanel />
      <Shows shows={shows} />
      <div class="ops-pair"><States orders={orders} /><Processes processes={processes} /></div>
      <p class="small muted" data-testid="ops-mails" title={say("mailsHint")}>{say("mails", { sent: count(mails.sent), waiting: count(mails.waiting), refused: count(mails.refused), given_up: count(mails.given_up) })}</p>
    </>
  );
}

function Figure({ name, label, hint, value, actions }: { name: string; label: string; hint: string; value: number; actions: string[] }) {
  return (
    <button type="button" class="number" title={hint} onClick={() => openTrail({ title: label, hint, actions })}>
      <span class="tiny muted">{label}</span>
      <strong class="figures" data-testid={`ops-${name}`} data-value={value}>{count(value)}</strong>
      <Spark name={name} />
    </button>
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
        {entries.map(([state, n]) => {
          const name = state === "held" ? say("held") : sayState("state", state);
          return (
            <li key={state}>
              <button type="button" title={say("statesHint")} data-state={state} onClick={() => openTrail({ title: name, hint: say("statesHint"), actions: [`order.${state}`] })}>
                <span>{name}</span><i aria-hidden="true"><b style={{ width: `${(n / most) * 100}%` }} /></i><span class="figures">{count(n)}</span>
              </button>
            </li>
          );
        })}
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
          <thead><tr><th scope="col">{say("process")}</th><th scope="col">{say("state")}</th><th scope="col" title={say("cpuHint")}>{say("cpu")}</th><th scope="col" title={say("memoryHint")}>{say("memory")}</th><th scope="col" title={say("restartsHint")}>{say("restarts")}</th><th scope="col" title={say("upHint")}>{say("up")}</th></tr></thead>
          <tbody>
            {processes.map((process) => (
              <tr key={`${process.name}${process.pid}`} data-hand={!process.up || isHot(process) ? "" : undefined}>
                <th scope="row" title={`${say("pid")} ${process.pid}`}>{process.name}</th>
                <td>{say(process.up ? "running" : "down")}</td><td title={say("cpuHint")}>{decimal(process.cpu_percent)} %</td><td title={say("memoryHint")}>{count(Math.round(process.rss_mib))} MiB</td><td title={say("restartsHint")}>{count(process.restarts)}</td>
                <td title={dayAndTime(Date.now() - process.uptime_s * 1000)}>{lasting(process.uptime_s * 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {processes.length === 0 && <p class="small muted">{say("noProcesses")}</p>}
    </section>
  );
}

void overview.load();
everyWhileSeen(LOOK_MS, () => { if (me.value?.roles.includes("operator")) void overview.load(); });
mount(Ops, () => say("title"));
