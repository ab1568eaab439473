/** The offers of the show: pin, change, add, and the flash deal. */
import { PackageSearch, Pencil, Pin, Plus, Zap } from "lucide-preact";
import { signal } from "@preact/signals";
import { tickingNow } from "../lib/clock";
import { amountText, lasting, money, parseAmount } from "../lib/format";
import { toMs } from "../lib/time";
import { priceNow, soldOut } from "../lib/offers";
import { Notice, ProductPicture } from "../lib/pieces";
import type { Money, Offer, Show } from "../lib/shapes";
import { isOnAir } from "../lib/showstate";
import type { Studio } from "./ctrl";
import { say } from "./words";

const COUNTDOWNS_S = [0, 15, 30, 60, 120];
const DURATIONS_S = [60, 180, 300, 600, 1200];
const open = signal<"add" | "deal" | "stock" | null>(null);
const changing = signal<string | null>(null);
const badPrice = signal(false);

export function Offers({ studio }: { studio: Studio }) {
  const show = studio.known.value?.show;
  if (!show) return null;
  return (
    <section class="panel offers" aria-label={say("offers")}>
      <header class="row row-apart">
        <h2>{say("offers")}</h2>
        <span class="row">
          <Toggle name="deal" disabled={show.offers.length === 0 || !isOnAir(show.state)}><Zap size={16} aria-hidden="true" />{say("deal")}</Toggle>
          <Toggle name="stock" disabled={studio.products.value.length === 0}><PackageSearch size={16} aria-hidden="true" />{say("stock")}</Toggle>
          <Toggle name="add"><Plus size={16} aria-hidden="true" />{say("addOffer")}</Toggle>
        </span>
      </header>
      <DealOn show={show} />
      {open.value === "deal" && <DealForm studio={studio} show={show} />}
      {open.value === "stock" && <StockForm studio={studio} />}
      {open.value === "add" && <AddForm studio={studio} show={show} />}
      {show.offers.length === 0 && open.value !== "add" && <p class="muted"><strong>{say("noOffers")}.</strong> {say("noOffersText")}</p>}
      <ul class="offer-list">{show.offers.map((offer, index) => <OfferRow key={offer.id} studio={studio} show={show} offer={offer} place={index + 1} />)}</ul>
      <FirstPaid studio={studio} show={show} />
    </section>
  );
}

/** Without a tick, pieces that come free go to the waiting list in its order. */
function FirstPaid({ studio, show }: { studio: Studio; show: Show }) {
  const first = show.waitlist === "first_paid";
  return (
    <label class="small">
      <input type="checkbox" data-testid="first-paid" checked={first} disabled={studio.busy.value} onChange={() => void studio.serve(first ? "line" : "first_paid")} /> {say("firstPaid")}
    </label>
  );
}

function Toggle({ name, disabled, children }: { name: "add" | "deal" | "stock"; disabled?: boolean; children: preact.ComponentChildren }) {
  return (
    <button type="button" class="button button-small" disabled={disabled} aria-expanded={open.value === name} data-testid={`open-${name}`} onClick={() => { open.value = open.value === name ? null : name; }}>{children}</button>
  );
}

function OfferRow({ studio, show, offer, place }: { studio: Studio; show: Show; offer: Offer; place: number }) {
  const pinned = show.pins.includes(offer.id);
  const left = offer.left === null ? say("untracked") : soldOut(offer) ? say("soldOut") : say("leftN", { n: offer.left });
  return (
    <li data-pinned={pinned ? "" : undefined}>
      <div class="offer-row">
        <ProductPicture image={offer.image} title={offer.title} />
        <div class="offer-text">
          <span class="offer-title">{offer.title}</span>
          <span class="small muted figures">{money(priceNow(offer, show.deal, tickingNow()).price)} · {left}</span>
        </div>
        <button type="button" class="button button-small button-icon button-plain" data-testid={`change-${offer.id}`} aria-label={`${say("change")}: ${offer.title}`} title={say("change")} aria-expanded={changing.value === offer.id} onClick={() => { changing.value = changing.value === offer.id ? null : offer.id; }}><Pencil size={16} aria-hidden="true" /></button>
        <button type="button" class={pinned ? "button button-small button-solid" : "button button-small"} aria-pressed={pinned} data-testid={`pin-${offer.id}`} title={say("pinHint", { n: place })} onClick={() => void studio.togglePin(offer.id)}>
          <Pin size={16} aria-hidden="true" />{say(pinned ? "pinned" : "pin")}{place <= 9 && <kbd>{place}</kbd>}
        </button>
      </div>
      {changing.value === offer.id && <ChangeForm studio={studio} offer={offer} />}
    </li>
  );
}

function ChangeForm({ studio, offer }: { studio: Studio; offer: Offer }) {
  const submit = (data: FormData): void => {
    const amount = amountOf(data, "price", offer.price.currency);
    if (amount === null) return;
    const pieces = Number(data.get("pieces") ?? 0);
    const change = { ...(amount !== offer.price.amount ? { price: { ...offer.price, amount } } : {}), ...(pieces !== 0 ? { add_quantity: pieces } : {}) };
    const done = Object.keys(change).length === 0 ? Promise.resolve(true) : studio.changeOffer(offer.id, change);
    void done.then((well) => { if (well) changing.value = null; });
  };
  return (
    <Form submit={submit} label={say("save")} testid="save-offer" close={() => { changing.value = null; }}>
      <PriceField price={offer.price} />
      <label class="field"><span>{say("addPieces")}</span><input name="pieces" type="number" defaultValue="0" inputMode="numeric" /></label>
    </Form>
  );
}

function AddForm({ studio, show }: { studio: Studio; show: Show }) {
  const products = studio.products.value;
  if (products.length === 0) return <Notice tone="wait"><p>{say("noProducts")}</p></Notice>;
  const submit = (data: FormData): void => {
    const amount = amountOf(data, "price", show.currency);
    if (amount === null) return;
    const limit = Number(data.get("limit") || 0);
    const adding = studio.addOffer(String(data.get("product")), { amount, currency: show.currency }, Number(data.get("quantity")), limit > 0 ? limit : null);
    void adding.then((well) => { if (well) open.value = null; });
  };
  const suggest = (event: Event): void => {
    const select = event.currentTarget as HTMLSelectElement;
    const price = select.form?.elements.namedItem("price") as HTMLInputElement | null;
    const product = products.find((each) => each.id === select.value);
    if (price && product) price.value = amountText(product.price);
  };
  return (
    <Form submit={submit} label={say("add")} testid="add-offer" close={() => { open.value = null; }}>
      <label class="field field-wide"><span>{say("product")}</span><select name="product" onChange={suggest}>{products.map((product) => <option key={product.id} value={product.id}>{product.title} · {product.quantity === null || product.quantity === undefined ? say("untracked") : say("inShop", { n: product.quantity })}</option>)}</select></label>
      <PriceField price={products[0]?.price ?? null} />
      <label class="field"><span>{say("quantity")}</span><input name="quantity" type="number" min="1" max="1000000" defaultValue="10" required inputMode="numeric" /></label>
      <label class="field"><span>{say("perBuyer")}</span><input name="limit" type="number" min="1" inputMode="numeric" /></label>
    </Form>
  );
}

function StockForm({ studio }: { studio: Studio }) {
  const counted = studio.products.value.filter((product) => product.quantity !== null && product.quantity !== undefined);
  const submit = (data: FormData): void => {
    const correcting = studio.correctStock(String(data.get("product")), Number(data.get("delta")), String(data.get("reason")));
    void correcting.then((well) => { if (well) open.value = null; });
  };
  return (
    <Form submit={submit} label={say("save")} testid="correct-stock" note={say("stockNote")} close={() => { open.value = null; }}>
      <label class="field field-wide"><span>{say("product")}</span><select name="product">{counted.map((product) => <option key={product.id} value={product.id}>{product.title} · {say("inShop", { n: product.quantity ?? 0 })}</option>)}</select></label>
      <label class="field"><span>{say("stockDelta")}</span><input name="delta" type="number" min="-1000000" max="1000000" required inputMode="numeric" /></label>
      <label class="field"><span>{say("stockReason")}</span><input name="reason" maxLength={200} required /></label>
    </Form>
  );
}

function DealForm({ studio, show }: { studio: Studio; show: Show }) {
  const submit = (data: FormData): void => {
    const amount = amountOf(data, "price", show.currency);
    if (amount === null) return;
    const pieces = Number(data.get("pieces") || 0);
    const telling = studio.announce(String(data.get("offer")), { amount, currency: show.currency }, Number(data.get("countdown")), Number(data.get("duration")), pieces > 0 ? pieces : null);
    void telling.then((well) => { if (well) open.value = null; });
  };
  return (
    <Form submit={submit} label={say("announce")} testid="announce" note={say("dealNote")} close={() => { open.value = null; }}>
      <label class="field field-wide"><span>{say("dealOf")}</span><select name="offer">{show.offers.map((offer) => <option key={offer.id} value={offer.id} selected={offer.id === show.pins[0]}>{offer.title}, {money(offer.price)}</option>)}</select></label>
      <label class="field"><span>{say("dealPrice")}</span><input name="price" inputMode="decimal" required /></label>
      <label class="field"><span>{say("countdown")}</span><select name="countdown">{COUNTDOWNS_S.map((s) => <option key={s} value={s} selected={s === 30}>{s === 0 ? say("atOnce") : say("seconds", { n: s })}</option>)}</select></label>
      <label class="field"><span>{say("duration")}</span><select name="duration">{DURATIONS_S.map((s) => <option key={s} value={s} selected={s === 180}>{say("minutes", { n: s / 60 })}</option>)}</select></label>
      <label class="field"><span>{say("dealPieces")}</span><input name="pieces" type="number" min="1" max="1000000" inputMode="numeric" /></label>
    </Form>
  );
}

function DealOn({ show }: { show: Show }) {
  const { deal } = show;
  const starts = toMs(deal?.starts_at);
  const ends = toMs(deal?.ends_at);
  const now = tickingNow();
  if (!deal || starts === null || ends === null || now >= ends) return null;
  const title = show.offers.find((offer) => offer.id === deal.offer)?.title ?? "";
  return (
    <Notice tone="wait" title={`${say("deal")}: ${title}, ${money(deal.price)}`}>
      <span class="figures" data-testid="deal-clock">{now < starts ? say("dealSoon", { time: lasting(starts - now) }) : say("dealOn", { time: lasting(ends - now) })}</span>
    </Notice>
  );
}

function PriceField({ price }: { price: Money | null }) {
  return <label class="field"><span>{say("price")}</span><input name="price" inputMode="decimal" required defaultValue={price ? amountText(price) : ""} /></label>;
}

interface FormProps { submit: (data: FormData) => void; close: () => void; label: string; children: preact.ComponentChildren; testid: string; note?: string }

function Form({ submit, close, label, children, testid, note }: FormProps) {
  const go = (event: SubmitEvent): void => {
    event.preventDefault();
    submit(new FormData(event.currentTarget as HTMLFormElement));
  };
  return (
    <form class="inline-form" onSubmit={go} onKeyDown={(event) => { if (event.key === "Escape") close(); }}>
      {children}
      {badPrice.value && <p class="field-fault field-wide" role="alert">{say("badPrice")}</p>}
      {note && <p class="tiny muted field-wide">{note}</p>}
      <div class="row field-wide">
        <button class="button button-solid button-small" data-testid={testid}>{label}</button>
        <button type="button" class="button button-small" onClick={close}>{say("cancel")}</button>
      </div>
    </form>
  );
}

function amountOf(data: FormData, field: string, currency: string): number | null {
  const amount = parseAmount(String(data.get(field) ?? ""), currency);
  badPrice.value = amount === null;
  return amount;
}
