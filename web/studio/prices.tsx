/** What a shop takes to send an order where, and its coupons: two small forms for each shop. */
import { useEffect, useState } from "preact/hooks";
import { get, post, put, remove } from "../lib/api";
import { count, money, parseAmount } from "../lib/format";
import { Notice } from "../lib/pieces";
import type { Listed, Money } from "../lib/shapes";
import { whyNot } from "./refusals";
import { say } from "./words";

const CURRENCIES = ["EUR", "CHF", "GBP", "USD", "PLN", "SEK", "CZK", "DKK"];

interface Row { countries: string[]; price: Money; free_from?: Money | null }

interface Coupon { code: string; percent: number | null; amount: Money | null; minimum: Money | null; quota: number; left: number; used: number }

export function Prices({ shop }: { shop: string }) {
  return (
    <details class="card prices" data-testid={`prices-${shop}`}>
      <summary>{say("prices", { shop })}</summary>
      <Shipping shop={shop} />
      <Coupons shop={shop} />
    </details>
  );
}

function Shipping({ shop }: { shop: string }) {
  const [rows, setRows] = useState<Row[]>([]);
  const [error, setError] = useState<string | null>(null);
  const path = `/shops/${shop}/shipping`;
  const take = (table: { rows: Row[] }): void => { setRows(table.rows); setError(null); };
  useEffect(() => { get<{ rows: Row[] }>(path).then(take, (why) => setError(whyNot(why))); }, [shop]);
  const save = (next: Row[]): void => { put<{ rows: Row[] }>(path, { rows: next }).then(take, (why) => setError(whyNot(why))); };
  const add = (form: HTMLFormElement): void => {
    const data = new FormData(form);
    const [price, free] = [moneyOf(data, "price"), moneyOf(data, "free_from")];
    const countries = String(data.get("countries")).toUpperCase().split(/[^A-Z]+/).filter(Boolean);
    if (!price) return setError(say("badPrice"));
    form.reset();
    save([...rows, { countries, price, ...(free ? { free_from: free } : {}) }]);
  };
  return (
    <section class="stack">
      <h3>{say("shipping")}</h3>
      {error !== null && <Notice tone="fault"><p>{error}</p></Notice>}
      {rows.length === 0 && <p class="small muted">{say("shippingNone")}</p>}
      <ul class="stack">
        {rows.map((row, place) => (
          <li class="row row-apart small" key={place} data-testid="shipping-row">
            <span class="figures">{row.countries.join(", ")}: {money(row.price)}{row.free_from ? ` · ${say("freeFromN", { sum: money(row.free_from) })}` : ""}</span>
            <button type="button" class="button button-small button-plain" onClick={() => save(rows.filter((_, other) => other !== place))}>{say("removeRow")}</button>
          </li>
        ))}
      </ul>
      <form class="row" onSubmit={(event) => { event.preventDefault(); add(event.currentTarget as HTMLFormElement); }}>
        <Text name="countries" label={say("countries")} needed />
        <Text name="price" label={say("price")} needed />
        <Text name="free_from" label={say("freeFrom")} />
        <CurrencyChoice />
        <button class="button button-small" data-testid="add-shipping">{say("add")}</button>
      </form>
    </section>
  );
}

function Coupons({ shop }: { shop: string }) {
  const [coupons, setCoupons] = useState<Coupon[]>([]);
  const [error, setError] = useState<string | null>(null);
  const path = `/shops/${shop}/coupons`;
  const take = (page: Listed<Coupon>): void => { setCoupons(page.items); setError(null); };
  const fail = (why: unknown): void => setError(whyNot(why));
  const load = (): Promise<void> => get<Listed<Coupon>>(path).then(take, fail);
  useEffect(() => { void load(); }, [shop]);
  const add = (form: HTMLFormElement): void => {
    const body = couponOf(new FormData(form));
    if (!body) return setError(say("badPrice"));
    post<Coupon>(path, body).then(() => { form.reset(); return load(); }).catch(fail);
  };
  return (
    <section class="stack">
      <h3>{say("coupons")}</h3>
      {error !== null && <Notice tone="fault"><p>{error}</p></Notice>}
      <ul class="stack">
        {coupons.map((one) => (
          <li class="row row-apart small" key={one.code} data-testid="coupon-row">
            <span class="figures"><strong>{one.code}</strong> −{one.amount ? money(one.amount) : `${one.percent ?? 0} %`}{one.minimum ? ` · ${say("fromN", { sum: money(one.minimum) })}` : ""} · {say("couponFigures", { used: count(one.used), left: count(one.left), quota: count(one.quota) })}</span>
            <button type="button" class="button button-small button-plain" onClick={() => { remove<Listed<Coupon>>(`${path}/${one.code}`).then(take, fail); }}>{say("endCoupon")}</button>
          </li>
        ))}
      </ul>
      <form class="row" onSubmit={(event) => { event.preventDefault(); add(event.currentTarget as HTMLFormElement); }}>
        <Text name="code" label={say("couponCode")} needed />
        <Text name="off" label={say("couponOff")} needed />
        <label class="field"><span>{say("couponKind")}</span><select name="currency"><option value="%">%</option>{CURRENCIES.map((code) => <option key={code}>{code}</option>)}</select></label>
        <label class="field"><span>{say("quota")}</span><input name="quota" type="number" min={1} required defaultValue="100" /></label>
        <button class="button button-small" data-testid="add-coupon">{say("add")}</button>
      </form>
    </section>
  );
}

/** What the form says, as the server wants it; null when it is no number. */
function couponOf(data: FormData): Record<string, unknown> | null {
  const [code, off, quota] = [String(data.get("code")), String(data.get("off")), Number(data.get("quota"))];
  if (data.get("currency") === "%") return /^\s*\d{1,2}\s*%?\s*$/.test(off) ? { code, quota, percent: Number.parseInt(off, 10) } : null;
  const amount = moneyOf(data, "off");
  return amount && { code, quota, amount };
}

function moneyOf(data: FormData, name: string): Money | null {
  const currency = String(data.get("currency"));
  const amount = parseAmount(String(data.get(name)), currency);
  return amount === null ? null : { amount, currency };
}

function Text({ name, label, needed = false }: { name: string; label: string; needed?: boolean }) {
  return <label class="field"><span>{label}</span><input name={name} required={needed} maxLength={100} autocomplete="off" size={10} /></label>;
}

function CurrencyChoice() {
  return <label class="field"><span>{say("currency")}</span><select name="currency">{CURRENCIES.map((code) => <option key={code}>{code}</option>)}</select></label>;
}
