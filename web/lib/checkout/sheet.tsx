/** The purchase beside the picture: reserve → address and payment → answer. Says plainly why not, and what then. */
import { Check, ExternalLink, X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import "./checkout.css";
import { money, times } from "../format";
import { Notice, ProductPicture, TimeOf, TimerRing } from "../pieces";
import { calm, me, signInAddress } from "../session";
import type { Order } from "../shapes";
import { detailOf, sorryFor } from "../sorry";
import { say as sayAll, sayState } from "../words";
import { CheckoutForm, heldUntil } from "./address";
import { CouponField } from "./coupon";
import type { Purchase } from "./ctrl";
import { phaseOf, wayOn } from "./steps";
import { say } from "./words";

/** What else there is for someone who came too late. */
export interface Instead { title: string; show: () => void }

interface SheetProps { purchase: Purchase; close: () => void; instead: Instead | null }

export function Sheet({ purchase, close, instead }: SheetProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus();
    return () => before?.focus?.();
  }, []);
  const state = purchase.order.value?.state;
  useEffect(() => { // the button that was pressed is gone with its step: whoever uses the keyboard stays in the sheet
    if (document.activeElement === document.body) panel.current?.focus();
  }, [state]);
  return (
    <section
      class="sheet" ref={panel} tabIndex={-1} role="dialog" aria-label={say(calm.value ? "titleCalm" : "title")}
      onKeyDown={(event) => { if (event.key === "Escape") close(); }}
    >
      <header class="sheet-head">
        <h2>{say(calm.value ? "titleCalm" : "title")}</h2>
        <button type="button" class="button button-icon button-plain" onClick={close} aria-label={sayAll("close")}><X size={20} aria-hidden="true" /></button>
      </header>
      <div class="sheet-body"><Line purchase={purchase} /><Body purchase={purchase} close={close} instead={instead} /></div>
    </section>
  );
}

function Line({ purchase }: { purchase: Purchase }) {
  const { wish } = purchase;
  const order = purchase.order.value;
  return (
    <div class="sheet-line">
      <ProductPicture image={wish.image} title={wish.title} />
      <div>
        <strong>{wish.title}</strong>
        <p class="small muted figures">{say("pieces", { n: wish.quantity })} · {money(times(order?.lines[0]?.price ?? wish.price, wish.quantity))}</p>
        {order && <span class={`chip ${chipOf(order)}`} data-testid="order-state" data-state={order.state} aria-live="polite">{sayState("state", order.state)}</span>}
      </div>
    </div>
  );
}

function chipOf(order: Order): string {
  const phase = phaseOf(order.state);
  if (phase === "good") return "chip-calm";
  return phase === "over" ? "chip-fault" : "chip-wait";
}

function Body({ purchase, close, instead }: SheetProps) {
  const order = purchase.order.value;
  if (me.value === null) return <SignInFirst />;
  if (purchase.busy.value === "reserving") return <p class="muted" role="status">{say("reserving", { n: purchase.wish.quantity })}</p>;
  if (!order) return <Refusal purchase={purchase} close={close} instead={instead} />;
  const phase = phaseOf(order.state);
  if (phase === "open") return <Held purchase={purchase} order={order} close={close} instead={instead} />;
  if (phase === "waiting") return <Waiting order={order} close={close} />;
  return phase === "good" ? <Good close={close} /> : <Over purchase={purchase} order={order} close={close} />;
}

function SignInFirst() {
  return (
    <Notice title={say("signInTitle")}>
      <p class="small">{say("signInNote")}</p>
      <a class="button button-solid" href={signInAddress()}>{say("signIn")}</a>
    </Notice>
  );
}

function Held({ purchase, order, close, instead }: SheetProps & { order: Order }) {
  if (me.value?.age_band === "under7") return <Notice tone="wait" title={say("under7")} />;
  return (
    <>
      <div class="sheet-held">
        {!calm.value && order.reserved_until !== null && <TimerRing from={purchase.heldFrom.value} until={order.reserved_until} label={say("timeLeft")} />}
        <p>
          {say("heldUntil")} <strong><TimeOf time={order.reserved_until} testid="reserved-until">{heldUntil(order)}</TimeOf></strong>
          <span class="small muted">{say(calm.value ? "heldNoteCalm" : "heldNote")}</span>
        </p>
      </div>
      {purchase.refusal.value !== null && <Refusal purchase={purchase} close={close} instead={instead} />}
      <CouponField purchase={purchase} order={order} />
      <CheckoutForm purchase={purchase} order={order} />
    </>
  );
}

function Waiting({ order, close }: { order: Order; close: () => void }) {
  const bank = order.next?.redirect_url;
  if (order.state === "awaiting_guardian") return <Answer tone="wait" title={say("guardianTitle")} text={say("guardianNote")} close={close} />;
  if (!bank) return <Answer tone="wait" title={say("waitingTitle")} text={say("waitingNote")} close={close} />;
  return (
    <Answer tone="wait" title={say("bankTitle")} text={say("waitingNote")} close={close}>
      <a class="button button-solid" href={bank} target="_blank" rel="noopener" data-testid="confirm-with-bank">
        {say("bankGo")}<ExternalLink size={16} aria-hidden="true" />
      </a>
    </Answer>
  );
}

function Good({ close }: { close: () => void }) {
  return (
    <div class="sheet-good" role="status">
      <span class="sheet-tick"><Check size={32} aria-hidden="true" /></span>
      <h3>{say("paidTitle")}</h3>
      <p class="muted">{say("paidNote")}</p>
      <button type="button" class="button button-solid button-wide" onClick={close}>{say("keepWatching")}</button>
      <a class="button button-plain" href="/orders">{say("toOrders")}</a>
    </div>
  );
}

const OVER = {
  expired: ["expiredTitle", "expiredNote"], payment_failed: ["failedTitle", "failedNote"],
  cancelled: ["cancelledTitle", "cancelledNote"], declined: ["declinedTitle", "declinedNote"],
} as const;

function Over({ purchase, order, close }: { purchase: Purchase; order: Order; close: () => void }) {
  const [title, text] = OVER[order.state as keyof typeof OVER] ?? ["overTitle", "cancelledNote"];
  const again = order.state === "expired" || order.state === "payment_failed" || order.state === "cancelled";
  return (
    <Answer tone={order.state === "payment_failed" ? "fault" : "plain"} title={say(title)} text={say(text)} close={close}>
      {again && <button type="button" class="button button-solid" onClick={() => void purchase.reserve()}>{say("again")}</button>}
    </Answer>
  );
}

function Refusal({ purchase, close, instead }: SheetProps) {
  const error = purchase.refusal.value;
  const { offer, price } = purchase.wish;
  if (error === null) return null;
  const way = wayOn(error, offer, price.currency);
  const act = (label: string, go: () => void) => <button type="button" class="button button-solid" onClick={go}>{label}</button>;
  switch (way.kind) {
    case "sign_in": return <SignInFirst />;
    case "fix_fields": return <Notice tone="fault"><p>{sorryFor(error)}</p></Notice>;
    case "sold_out": return (
      <Answer tone="plain" title={say("soldOutTitle")} text={sorryFor(error)} close={close} testid="sold-out">
        {instead && act(say("instead", { title: instead.title }), instead.show)}
      </Answer>
    );
    case "fewer": return (
      <Answer tone="plain" title={say(calm.value ? "fewerTitleCalm" : "fewerTitle", { n: way.left })} text={sorryFor(error)} close={close} testid="sold-out">
        {act(say("takeFewer", { n: way.left }), () => void purchase.reserve({ quantity: way.left }))}
      </Answer>
    );
    case "new_price": return <NewPrice purchase={purchase} price={way.price} close={close} />;
    case "again": return <Answer tone="plain" title={say("expiredTitle")} text={sorryFor(error)} close={close}>{act(say("again"), () => void purchase.reserve())}</Answer>;
    case "leave": return (
      <Answer tone="plain" title={sayAll("cannotTitle")} text={`${sorryFor(error)} ${detailOf(error)}`} close={close}>
        {calm.value && <a class="button button-solid" href="/guardian">{say("toGuardian")}</a>}
      </Answer>
    );
    case "retry": return (
      <Answer tone="fault" title={sayAll("cannotTitle")} text={sorryFor(error)} close={close}>
        {purchase.order.value === null && act(say("retry"), () => void purchase.reserve())}
      </Answer>
    );
  }
}

function NewPrice({ purchase, price, close }: { purchase: Purchase; price: Order["total"] | null; close: () => void }) {
  const title = price ? say("priceTitle", { price: money(price) }) : say("priceUnknown");
  if (purchase.order.value) {
    return <Answer tone="plain" title={title} text={say("refreshed")} close={close}><button type="button" class="button button-solid" onClick={() => void purchase.look()}>{say("lookAgain")}</button></Answer>;
  }
  return (
    <Answer tone="plain" title={title} text={say("priceNote")} close={close} testid="price-changed">
      {price && <button type="button" class="button button-solid" onClick={() => void purchase.reserve({ price })}>{say("takePrice", { price: money(price) })}</button>}
    </Answer>
  );
}

interface AnswerProps { tone: "plain" | "calm" | "wait" | "fault"; title: string; text: string; close: () => void; children?: ComponentChildren; testid?: string }

function Answer({ tone, title, text, close, children, testid }: AnswerProps) {
  return (
    <div class="stack" data-testid={testid}>
      <Notice tone={tone} title={title}><p class="small">{text}</p></Notice>
      <div class="row">{children}<button type="button" class="button" onClick={close}>{say("keepWatching")}</button></div>
    </div>
  );
}
