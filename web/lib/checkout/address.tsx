/** The form for address and payment: one screen, one button that spends money. */
import { useState } from "preact/hooks";
import { CountryChoice } from "../country";
import { clockTime, money } from "../format";
import { Refused } from "../refused";
import { calm, me } from "../session";
import type { Order, Payment, ShipTo } from "../shapes";
import type { Purchase } from "./ctrl";
import { Sums } from "./summary";
import { say } from "./words";

const TOKENS = ["pm_ok", "pm_3ds", "pm_declined"] as const;
const FIELDS = ["name", "street", "postal_code", "city", "country"] as const;
const KEPT = "livesale.ship_to"; // for this tab only: a shared computer must not know where its last user lives

export function CheckoutForm({ purchase, order }: { purchase: Purchase; order: Order }) {
  const known = keptAddress();
  const [editing, setEditing] = useState(known === null);
  const sending = purchase.busy.value === "sending";
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const shipTo = editing || !known ? addressFrom(data) : known;
    keepAddress(shipTo);
    const payment: Payment = { method: "card", token: String(data.get("token") ?? "pm_ok") };
    void purchase.send(shipTo, calm.value ? null : payment);
  };
  return (
    <form class="checkout-form" onSubmit={submit}>
      {editing || !known ? <AddressFields purchase={purchase} known={known} /> : <AddressKept known={known} change={() => setEditing(true)} />}
      {calm.value ? <p class="small muted">{say("requestNote")}</p> : <PaymentChoice />}
      <Sums of={order} />
      <div class="checkout-total">
        <span>{say("total")}</span>
        <strong class="figures">{money(order.total)}</strong>
      </div>
      {isNewPrice(purchase.refusal.value) && <p class="small field-fault" role="alert" data-testid="new-total">{say("refreshed")}</p>}
      <button class="button button-spend button-wide" data-testid="checkout" disabled={sending}>
        {sending ? say("sending") : say(calm.value ? "request" : "order")}
      </button>
      <button type="button" class="button button-plain button-small" onClick={() => void purchase.cancel()}>{say("release")}</button>
    </form>
  );
}

const isNewPrice = (refusal: unknown): boolean => refusal instanceof Refused && refusal.code === "price_changed";

function AddressKept({ known, change }: { known: ShipTo; change: () => void }) {
  return (
    <div class="row row-apart checkout-kept">
      <span class="small"><span class="muted">{say("keepAddress")}</span><br />{known.name}, {known.street}, {known.postal_code} {known.city}</span>
      <button type="button" class="button button-small" onClick={change}>{say("change")}</button>
    </div>
  );
}

function AddressFields({ purchase, known }: { purchase: Purchase; known: ShipTo | null }) {
  const refusal = purchase.refusal.value;
  const faults = Object.fromEntries(FIELDS.map((field) => [field, refusal instanceof Refused ? refusal.faultOf(field) : null]));
  const input = (field: Exclude<(typeof FIELDS)[number], "country">, label: string, fill: string, value: string) => (
    <label class="field">
      <span>{label}</span>
      <input name={field} required maxLength={120} autocomplete={fill} defaultValue={value} aria-invalid={faults[field] ? "true" : undefined} />
      {faults[field] && <span class="field-fault">{faults[field]}</span>}
    </label>
  );
  return (
    <fieldset class="fields">
      <legend>{say("address")}</legend>
      {input("name", say("name"), "shipping name", known?.name ?? me.value?.name ?? "")}
      {input("street", say("street"), "shipping street-address", known?.street ?? "")}
      <div class="fields-pair">
        {input("postal_code", say("postal"), "shipping postal-code", known?.postal_code ?? "")}
        {input("city", say("city"), "shipping address-level2", known?.city ?? "")}
      </div>
      <CountryChoice chosen={known?.country ?? me.value?.country ?? "DE"} label={say("country")} />
    </fieldset>
  );
}

export function PaymentChoice() {
  return (
    <fieldset class="fields checkout-pay">
      <legend>{say("pay")}</legend>
      {TOKENS.map((token, index) => (
        <label class="choice" key={token}>
          <input type="radio" name="token" value={token} defaultChecked={index === 0} />
          <span>{say(token)}<br /><span class="tiny muted">{say(`${token}_note`)}</span></span>
        </label>
      ))}
      <p class="tiny muted">{say("sandbox")}</p>
    </fieldset>
  );
}

export const heldUntil = (order: Order): string => clockTime(order.reserved_until);

function addressFrom(data: FormData): ShipTo {
  const text = (field: string): string => String(data.get(field) ?? "").trim();
  return { name: text("name"), street: text("street"), postal_code: text("postal_code"), city: text("city"), country: text("country") };
}

function keptAddress(): ShipTo | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as ShipTo | null;
  } catch {
    return null;
  }
}

function keepAddress(shipTo: ShipTo): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(shipTo));
  } catch {
    // Then it is typed again next time.
  }
}
