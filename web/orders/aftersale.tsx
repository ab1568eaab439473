/** After the sale: what happened since, the withdrawal in two steps, and its receipt (§ 356a BGB). */
import { useEffect, useState } from "preact/hooks";
import { post } from "../lib/api";
import { serverNow } from "../lib/clock";
import { dayAndTime, money, toTheSecond } from "../lib/format";
import { Notice, TimeOf } from "../lib/pieces";
import type { Declared, Order, Receipt } from "../lib/shapes";
import { detailOf, sorryFor } from "../lib/sorry";
import { happenings, mayWithdraw, piecesOf } from "./after";
import { say } from "./words";

export function Happenings({ order }: { order: Order }) {
  const all = happenings(order);
  if (all.length === 0) return null;
  return (
    <ul class="happenings" aria-label={say("happened")}>
      {all.map((one) => (
        <li key={one.key}>
          <span class="small">{say(one.word, { n: one.pieces, amount: one.amount ? money(one.amount) : "" })}{one.note && <span class="muted"> · {one.note}</span>}</span>
          <TimeOf time={one.at}><span class="tiny muted">{dayAndTime(one.at)}</span></TimeOf>
        </li>
      ))}
    </ul>
  );
}

/** The button stands on the order for the whole period; what it opens is step 1. */
export function Withdrawal({ order, changed }: { order: Order; changed: () => void }) {
  const [open, setOpen] = useState(false);
  const until = order.withdrawal_until;
  return (
    <>
      {(order.withdrawals ?? []).map((one) => <ReceiptOf key={one.withdrawal} receipt={one} />)}
      {open
        ? <Steps order={order} close={() => { setOpen(false); changed(); }} />
        : mayWithdraw(order, serverNow()) && (
          <div class="row row-apart">
            <button type="button" class="button button-small" data-testid="withdraw" onClick={() => setOpen(true)}>{say("withdraw")}</button>
            <span class="tiny muted">{until ? say("withdrawUntil", { time: dayAndTime(until) }) : say("withdrawAlways")}</span>
          </div>
        )}
    </>
  );
}

function Steps({ order, close }: { order: Order; close: () => void }) {
  const [all, setAll] = useState<Declared | null>(null);
  const [declared, setDeclared] = useState<Declared | null>(null);
  const [error, setError] = useState<unknown>(null);
  const path = `/orders/${order.id}/withdrawal`;
  const declare = async (lines?: { offer: string; quantity: number }[]): Promise<void> => {
    try {
      const told = (await post<{ withdrawal: Declared }>(path, lines ? { lines } : {})).withdrawal;
      setAll((before) => before ?? told);
      setDeclared(told);
      setError(null);
    } catch (refusal) {
      setError(refusal);
    }
  };
  const confirm = (): void => { post(`${path}/confirm`).then(close, setError); };
  useEffect(() => void declare(), []);
  const choose = (offer: string, quantity: number): void => {
    const lines = (all?.lines ?? []).map((line) => ({ offer: line.offer, quantity: line.offer === offer ? quantity : (declared?.lines.find((one) => one.offer === line.offer)?.quantity ?? 0) }));
    void declare(lines.filter((line) => line.quantity > 0));
  };
  return (
    <section class="stack withdrawal" aria-label={say("withdrawStep")}>
      <Notice title={say("withdrawStep")}><p class="small">{say("withdrawText")}</p></Notice>
      {error !== null && <Notice tone="fault"><p>{sorryFor(error)} {detailOf(error)}</p></Notice>}
      {declared && all && (
        <>
          {piecesOf(all.lines) > 1 && all.lines.map((line) => {
            const title = order.lines.find((one) => one.offer === line.offer)?.title ?? line.offer;
            return (
              <label class="field" key={line.offer}>
                <span>{say("howMany", { title })}</span>
                <select value={declared.lines.find((one) => one.offer === line.offer)?.quantity ?? 0} onChange={(event) => choose(line.offer, Number((event.currentTarget as HTMLSelectElement).value))}>
                  {Array.from({ length: line.quantity + 1 }, (_, n) => <option key={n} value={n}>{n}</option>)}
                </select>
              </label>
            );
          })}
          <p class="small">{say("withdrawBack", { amount: money(declared.amount) })}{(order.shipments ?? []).length > 0 && ` ${say("withdrawSend")}`}</p>
        </>
      )}
      <div class="row">
        <button type="button" class="button button-solid" data-testid="confirm-withdrawal" disabled={!declared} onClick={confirm}>{say("confirmWithdrawal")}</button>
        <button type="button" class="button" onClick={close}>{say("keep")}</button>
      </div>
    </section>
  );
}

function ReceiptOf({ receipt }: { receipt: Receipt }) {
  return (
    <section class="receipt small" data-testid="withdrawal-receipt" aria-label={say("receipt")}>
      <strong>{say("receipt")}</strong>
      <p><TimeOf time={receipt.received_at}>{say("received", { time: toTheSecond(receipt.received_at) })}</TimeOf></p>
      <ul>{receipt.lines.map((line) => <li key={line.offer}>{say("pieces", { n: line.quantity })} · {line.title}</li>)}</ul>
      <p>{say("withdrawBack", { amount: money(receipt.amount) })} {say("refundBy", { time: dayAndTime(receipt.refund_by) })}</p>
      <p class="tiny muted">{receipt.order} · {receipt.withdrawal}</p>
      <button type="button" class="button button-small button-plain" onClick={() => print()}>{say("printReceipt")}</button>
    </section>
  );
}
