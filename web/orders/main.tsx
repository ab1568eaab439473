/** The orders page: a timeline for each, and what can be done about it now. */
import { ExternalLink, PackageOpen } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../lib/api";
import { CheckoutForm } from "../lib/checkout/address";
import "../lib/checkout/checkout.css";
import { Purchase } from "../lib/checkout/ctrl";
import { phaseOf } from "../lib/checkout/steps";
import { serverNow } from "../lib/clock";
import { clockTime, dayAndTime, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { idFromPath, mount } from "../lib/mount";
import { Empty, Failed, Loading, Notice, ProductPicture, TimeOf } from "../lib/pieces";
import { calm, me, signInAddress } from "../lib/session";
import type { Listed, Order } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { detailOf, sorryFor } from "../lib/sorry";
import { say as sayAll, sayState } from "../lib/words";
import "./orders.css";
import { mayWithdraw, timeline } from "./timeline";
import { say } from "./words";

const LOOK_MS = 4000;
const one = idFromPath(location.pathname);
const mine = source<Listed<Order>>(async () => (one ? { items: [await get<Order>(`/orders/${one}`)], next: null } : get<Listed<Order>>("/orders?limit=30")));
const older = signal<Order[]>([]);
const olderAfter = signal<string | null | undefined>(undefined);

function Orders() {
  const state = mine.state.value;
  return (
    <Frame here="/orders" narrow>
      <header class="page-head"><h1>{say(calm.value ? "titleCalm" : "title")}</h1><p>{say("lead")}</p></header>
      {me.value === null
        ? <div class="card"><Empty icon={PackageOpen} title={say("signIn")}><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></div>
        : state.kind === "loading" ? <Loading heights={["180px", "180px"]} />
          : state.kind === "failed" ? <Failed error={state.error} retry={() => void mine.load()} />
            : <List listed={state.value} />}
    </Frame>
  );
}

function List({ listed }: { listed: Listed<Order> }) {
  const next = olderAfter.value === undefined ? listed.next : olderAfter.value;
  if (listed.items.length === 0) {
    return <div class="card"><Empty icon={PackageOpen} title={say("empty")}><p>{say("emptyText")}</p><a class="button" href="/">{say("toShows")}</a></Empty></div>;
  }
  return (
    <>
      <ul class="stack">{[...listed.items, ...older.value].map((order) => <OrderCard key={order.id} order={order} />)}</ul>
      {next && <button type="button" class="button" onClick={() => void loadOlder(next)}>{say("more")}</button>}
    </>
  );
}

async function loadOlder(after: string): Promise<void> {
  const more = await get<Listed<Order>>(`/orders?limit=30&after=${encodeURIComponent(after)}`);
  older.value = [...older.value, ...more.items];
  olderAfter.value = more.next ?? null;
}

function OrderCard({ order }: { order: Order }) {
  return (
    <li class="card order" data-testid="order" data-order={order.id}>
      <header class="row row-apart">
        <span class="small muted"><TimeOf time={order.held_at}>{dayAndTime(order.held_at)}</TimeOf>{order.shop ? ` · ${say("soldBy", { shop: order.shop })}` : ""}</span>
        <span class={`chip ${chipOf(order)}`} data-testid="order-state" data-state={order.state}>{sayState("state", order.state)}</span>
      </header>
      {order.lines.map((line) => (
        <div class="order-line" key={line.offer}>
          <ProductPicture image={line.image} title={line.title ?? "?"} />
          <div><strong>{line.title ?? line.offer}</strong><span class="small muted figures">{say("pieces", { n: line.quantity })}{line.price ? ` · ${money(line.price)}` : ""}</span></div>
        </div>
      ))}
      <Steps order={order} />
      <div class="row row-apart"><span class="muted small">{say("sum")}</span><strong class="figures order-sum">{money(order.total)}</strong></div>
      <Acts order={order} />
    </li>
  );
}

function chipOf(order: Order): string {
  const phase = phaseOf(order.state);
  if (phase === "good") return "chip-calm";
  return phase === "over" ? "" : "chip-wait";
}

function Steps({ order }: { order: Order }) {
  return (
    <ol class="timeline">
      {timeline(order).map((step) => (
        <li key={step.word} data-done={step.done ? "" : undefined} aria-current={step.now ? "step" : undefined}>
          <span>{step.word === "end" ? sayState("state", order.state) : say(step.word)}</span>
          <time class="tiny muted">{step.at !== null ? clockTime(step.at) : step.word === "reserved" && order.state === "held" ? say("heldUntil", { time: clockTime(order.reserved_until) }) : ""}</time>
        </li>
      ))}
    </ol>
  );
}

function Acts({ order }: { order: Order }) {
  const [open, setOpen] = useState<"finish" | "withdraw" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const bank = order.next?.redirect_url;
  const cancel = (): void => { post(`/orders/${order.id}/cancel`).then(() => mine.load(), setError); };
  if (open === "finish") return <Finish order={order} close={() => setOpen(null)} />;
  if (open === "withdraw") return <Withdraw order={order} close={() => setOpen(null)} />;
  return (
    <>
      {error !== null && <Notice tone="fault"><p>{sorryFor(error)} {detailOf(error)}</p></Notice>}
      <div class="row">
        {order.state === "held" && <button type="button" class="button button-solid button-small" onClick={() => setOpen("finish")}>{say("finish")}</button>}
        {bank && <a class="button button-solid button-small" href={bank}>{say("bank")}<ExternalLink size={14} aria-hidden="true" /></a>}
        {(order.state === "held" || order.state === "awaiting_guardian") && <button type="button" class="button button-small" onClick={cancel}>{say("cancel")}</button>}
        {mayWithdraw(order, serverNow()) && <button type="button" class="button button-small" data-testid="withdraw" onClick={() => setOpen("withdraw")}>{say("withdraw")}</button>}
      </div>
    </>
  );
}

function Finish({ order, close }: { order: Order; close: () => void }) {
  const line = order.lines[0];
  const [purchase] = useState(() => new Purchase({ show: "", offer: line?.offer ?? "", title: line?.title ?? "", image: null, quantity: line?.quantity ?? 1, price: order.total }, order));
  useEffect(() => () => purchase.close(), [purchase]);
  const now = purchase.order.value ?? order;
  useEffect(() => { if (now.version > order.version) void mine.load().then(close); }, [now.version]);
  return (
    <div class="stack">
      {purchase.refusal.value !== null && <Notice tone="fault"><p>{sorryFor(purchase.refusal.value)} {detailOf(purchase.refusal.value)}</p></Notice>}
      <CheckoutForm purchase={purchase} order={now} />
      <button type="button" class="button button-small button-plain" onClick={close}>{say("hide")}</button>
    </div>
  );
}

/** Two steps and a receipt at once (§ 356a BGB): the first says what it means, the second does it. */
function Withdraw({ order, close }: { order: Order; close: () => void }) {
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async (): Promise<void> => {
    try {
      await post(`/orders/${order.id}/withdrawal`);
      await post(`/orders/${order.id}/withdrawal/confirm`);
      setDone(true);
      await mine.load();
    } catch (refusal) {
      setError(refusal);
    }
  };
  if (done) return <Notice tone="calm"><p>{say("withdrawn")}</p></Notice>;
  return (
    <div class="stack">
      <Notice title={say("withdrawTitle")}><p class="small">{say("withdrawText")}</p></Notice>
      {error !== null && <Notice tone="fault"><p>{sorryFor(error)} {detailOf(error)}</p></Notice>}
      <div class="row">
        <button type="button" class="button button-solid" data-testid="confirm-withdrawal" onClick={() => void confirm()}>{say("withdrawConfirm")}</button>
        <button type="button" class="button" onClick={close}>{say("keep")}</button>
      </div>
    </div>
  );
}

void mine.load();
everyWhileSeen(LOOK_MS, () => { if (me.value) void mine.load(); });
mount(Orders, () => say("title"));
