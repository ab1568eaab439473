/** The orders page: a timeline for each, and what can be done about it now. */
import { ExternalLink, PackageOpen } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../lib/api";
import { CheckoutForm } from "../lib/checkout/address";
import "../lib/checkout/checkout.css";
import { Purchase } from "../lib/checkout/ctrl";
import { CouponField } from "../lib/checkout/coupon";
import { phaseOf } from "../lib/checkout/steps";
import { Sums } from "../lib/checkout/summary";
import { clockTime, dayAndTime, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { idFromPath } from "../lib/path";
import { Empty, Failed, Loading, Notice, ProductPicture, TimeOf } from "../lib/pieces";
import { calm, mayBuyAlone, me, signInAddress } from "../lib/session";
import type { Listed, Order } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { detailOf, sorryFor } from "../lib/sorry";
import { say as sayAll, sayState } from "../lib/words";
import { Happenings, Withdrawal } from "./aftersale";
import "./orders.css";
import { timeline } from "./timeline";
import { say, words } from "./words";

const LOOK_MS = 4000;
const one = idFromPath(location.pathname);
const mine = source<Listed<Order>>(async () => (one ? { items: [await get<Order>(`/orders/${one}`)], next: null } : get<Listed<Order>>("/orders?limit=30")));
const older = signal<Order[]>([]);
const olderAfter = signal<string | null | undefined>(undefined);

function Orders() {
  const state = mine.state.value;
  return (
    <Frame here="/orders" width="narrow">
      <header class="page-head"><h1>{say(calm.value ? "titleCalm" : "title")}</h1><p>{say(calm.value ? "leadCalm" : "lead")}</p></header>
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
      <ul class="stack">{[...listed.items, ...older.value.filter((order) => listed.items.every(({ id }) => id !== order.id))].map((order) => <OrderCard key={order.id} order={order} />)}</ul>
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
          <div><strong>{line.title ?? line.offer}</strong><span class="small muted figures">{say("pieces", { n: line.quantity })}{line.price ? ` · ${line.quantity > 1 ? say("each", { price: money(line.price) }) : money(line.price)}` : ""}</span></div>
        </div>
      ))}
      <Steps order={order} />
      <Happenings order={order} />
      <p class="small muted">{whatNow(order)}</p>
      <Sums of={order} />
      <div class="row row-apart order-total"><span class="muted small">{say("sum")}</span><strong class="figures order-sum">{money(order.total)}</strong></div>
      <Acts order={order} />
      <Withdrawal order={order} changed={() => void mine.load()} />
    </li>
  );
}

/** What the state means for the buyer; a state added later has its name only. */
function whatNow(order: Order): string {
  const key = `now_${order.state}`;
  return key in words.en ? say(key as keyof (typeof words)["en"], { time: clockTime(order.reserved_until) }) : "";
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
          {step.at !== null && <TimeOf time={step.at}><span class="tiny muted">{clockTime(step.at)}</span></TimeOf>}
        </li>
      ))}
    </ol>
  );
}

function Acts({ order }: { order: Order }) {
  const [finishing, setFinishing] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const bank = order.next?.redirect_url;
  const cancel = (): void => { post(`/orders/${order.id}/cancel`).then(() => mine.load(), setError); };
  if (finishing) return <Finish order={order} close={() => setFinishing(false)} />;
  return (
    <>
      {error !== null && <Notice tone="fault"><p>{sorryFor(error)} {detailOf(error)}</p></Notice>}
      <div class="row">
        {(order.state === "held" || ownNow(order)) && <button type="button" class="button button-solid button-small" data-testid="finish" onClick={() => setFinishing(true)}>{say("finish")}</button>}
        {bank && <a class="button button-solid button-small" href={bank}>{say("bank")}<ExternalLink size={14} aria-hidden="true" /></a>}
        {(order.state === "held" || order.state === "awaiting_guardian") && <button type="button" class="button button-small" onClick={cancel}>{say("cancel")}</button>}
      </div>
    </>
  );
}

/** What was asked for under age is, once of age, one's own to order. */
const ownNow = (order: Order): boolean => order.state === "awaiting_guardian" && mayBuyAlone.value;

function Finish({ order, close }: { order: Order; close: () => void }) {
  const line = order.lines[0];
  const [purchase] = useState(() => new Purchase({ shelf: `/shops/${order.shop ?? ""}`, offer: line?.offer ?? "", title: line?.title ?? "", image: null, quantity: line?.quantity ?? 1, price: order.total }, order));
  useEffect(() => () => purchase.close(), [purchase]);
  const now = purchase.order.value ?? order;
  useEffect(() => { // a new price is still to be confirmed; anything else is shown by the card
    if (now.version > order.version) void mine.load().then(() => { if (now.state !== order.state) close(); });
  }, [now.version]);
  return (
    <div class="stack">
      {purchase.refusal.value !== null && <Notice tone="fault"><p>{sorryFor(purchase.refusal.value)} {detailOf(purchase.refusal.value)}</p></Notice>}
      {now.state === "held" && <CouponField purchase={purchase} order={now} />}
      <CheckoutForm purchase={purchase} order={now} />
      <button type="button" class="button button-small button-plain" onClick={close}>{say("hide")}</button>
    </div>
  );
}

void mine.load();
everyWhileSeen(LOOK_MS, () => { if (me.value) void mine.load(); });
mount(Orders, () => say("title"));
