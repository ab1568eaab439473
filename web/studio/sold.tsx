/** What a shop has sold: where each order goes, marking it sent, giving money back. */
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../lib/api";
import { dayAndTime, money } from "../lib/format";
import { everyWhileSeen } from "../lib/loading";
import { Notice, TimeOf } from "../lib/pieces";
import type { Listed, Order } from "../lib/shapes";
import { detailOf, sorryFor } from "../lib/sorry";
import { sayState } from "../lib/words";
import { say } from "./words";

const LOOK_MS = 5000;
const STATES = [["paid", "waiting"], ["shipped", "alreadySent"]] as const;

export function Sold({ shop }: { shop: string }) {
  const [state, setState] = useState<"paid" | "shipped">("paid");
  const [orders, setOrders] = useState<Order[]>([]);
  const load = (): void => { get<Listed<Order>>(`/shops/${shop}/orders?state=${state}&limit=50`).then((page) => setOrders(page.items), () => setOrders([])); };
  useEffect(() => { load(); return everyWhileSeen(LOOK_MS, load); }, [shop, state]);
  return (
    <section class="stack" data-testid="sold">
      <header class="row row-apart">
        <h2>{say("sold", { shop })}</h2>
        <div class="field">
          <select aria-label={say("sold", { shop })} value={state} onChange={(event) => setState((event.currentTarget as HTMLSelectElement).value as "paid" | "shipped")}>
            {STATES.map(([value, word]) => <option key={value} value={value}>{say(word)}</option>)}
          </select>
        </div>
      </header>
      {orders.length === 0 ? <p class="muted small">{say("soldNone")}</p> : <ul class="card sold-rows">{orders.map((order) => <SoldRow key={order.id} order={order} changed={load} />)}</ul>}
    </section>
  );
}

function SoldRow({ order, changed }: { order: Order; changed: () => void }) {
  const [open, setOpen] = useState<"ship" | "refund" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const to = order.ship_to;
  const done = (): void => { setOpen(null); setError(null); changed(); };
  const send = (act: string, body: unknown): void => { post(`/orders/${order.id}/${act}`, body).then(done, setError); };
  return (
    <li data-testid="sold-order" data-order={order.id}>
      <div class="row row-apart">
        <span class="small muted"><TimeOf time={order.held_at}>{dayAndTime(order.held_at)}</TimeOf></span>
        <span class="chip">{sayState("state", order.state)}</span>
      </div>
      <ul>{order.lines.map((line) => <li key={line.offer}><span class="figures">{line.quantity} ×</span> {line.title}</li>)}</ul>
      {to && <address class="small muted">{to.name}, {to.street}, {to.postal_code} {to.city}, {to.country}</address>}
      {error !== null && <Notice tone="fault"><p>{sorryFor(error)} {detailOf(error)}</p></Notice>}
      {open === "ship" && <ShipForm send={(body) => send("shipments", body)} close={() => setOpen(null)} />}
      {open === "refund" && <RefundForm order={order} send={(body) => send("refunds", body)} close={() => setOpen(null)} />}
      {open === null && (
        <div class="row">
          {(order.to_send ?? []).length > 0 && <button type="button" class="button button-small" data-testid="ship" onClick={() => setOpen("ship")}>{say("ship")}</button>}
          <button type="button" class="button button-small button-plain" data-testid="refund" onClick={() => setOpen("refund")}>{say("refundAll")}</button>
        </div>
      )}
    </li>
  );
}

interface FormProps { send: (body: unknown) => void; close: () => void }

function ShipForm({ send, close }: FormProps) {
  const submit = (form: HTMLFormElement): void => {
    const data = new FormData(form);
    send({ carrier: data.get("carrier"), tracking: data.get("tracking") });
  };
  return (
    <form class="row" onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget as HTMLFormElement); }}>
      <label class="field"><span>{say("carrier")}</span><input name="carrier" maxLength={60} autocomplete="off" /></label>
      <label class="field"><span>{say("tracking")}</span><input name="tracking" maxLength={100} autocomplete="off" /></label>
      <button class="button button-solid button-small" data-testid="ship-now">{say("ship")}</button>
      <button type="button" class="button button-small button-plain" onClick={close}>{say("cancel")}</button>
    </form>
  );
}

function RefundForm({ order, send, close }: FormProps & { order: Order }) {
  const [restock, setRestock] = useState(order.state === "paid");
  return (
    <div class="stack">
      <p class="small">{say("refundReally", { amount: money(order.total) })}</p>
      <label class="row small"><input type="checkbox" checked={restock} onChange={(event) => setRestock((event.currentTarget as HTMLInputElement).checked)} />{say("refundStock")}</label>
      <div class="row">
        <button type="button" class="button button-solid button-small" data-testid="refund-now" onClick={() => send({ restock })}>{say("refundGo")}</button>
        <button type="button" class="button button-small button-plain" onClick={close}>{say("cancel")}</button>
      </div>
    </div>
  );
}
