/** The card on air: picture, name, price now, honest reference price, stock, Buy. */
import { ChevronUp, Undo2, Zap } from "lucide-preact";
import { useState } from "preact/hooks";
import { tickingNow } from "../lib/clock";
import { count, lasting, money, times } from "../lib/format";
import { mostPieces, priceNow, reducedPercent, soldOut, stockShare, type PriceNow } from "../lib/offers";
import { ProductPicture, Roll } from "../lib/pieces";
import { calm, me } from "../lib/session";
import type { Money, Offer } from "../lib/shapes";
import { isOnAir, pinnedOffers } from "../lib/showstate";
import type { Watching } from "./ctrl";
import { isInLine, Line } from "./line";
import { Quantity } from "./quantity";
import { say } from "./words";

export function Card({ watching }: { watching: Watching }) {
  const card = watching.card.value;
  const known = watching.known.value;
  if (!card && known?.show.state === "ended") return null;
  if (!card || !known) {
    return <article class="pin-card pin-card-empty" data-testid="pin-card"><h2>{say("nothingPinned")}</h2><p class="small muted">{say("nothingPinnedNote")}</p><Lift watching={watching} /></article>;
  }
  const now = priceNow(card.offer, isOnAir(known.show.state) ? known.show.deal : null, tickingNow());
  return (
    <article class="pin-card" data-testid="pin-card" data-offer={card.offer.id} key={card.offer.id}>
      <ProductPicture image={card.offer.image} title={card.offer.title} />
      <div class="pin-head">
        <Where watching={watching} picked={card.picked} since={isOnAir(known.show.state) ? known.pinnedAt : null} />
        <h2>{card.offer.title}</h2>
      </div>
      <Price now={now} />
      {isOnAir(known.show.state)
        ? <><Stock offer={card.offer} mine={watching.places.of(card.offer.id)?.line.state === "offered"} />{isInLine(watching, card.offer, known.show) ? <Line watching={watching} offer={card.offer} /> : <BuyRow watching={watching} offer={card.offer} now={now} />}</>
        : <p class="pin-stock small muted">{say(known.show.state === "ended" ? "saleOver" : "saleLater")}</p>}
      <Lift watching={watching} />
    </article>
  );
}

function Where({ watching, picked, since }: { watching: Watching; picked: boolean; since: number | null }) {
  const known = watching.known.value;
  if (picked && known && known.show.pins.length > 0) {
    return <button type="button" class="pin-where" onClick={() => { watching.chosen.value = null; }}><Undo2 size={14} aria-hidden="true" />{say("backToAir")}</button>;
  }
  if (picked) return <span class="pin-where">{say("chosen")}</span>;
  if (calm.value || since === null) return null;
  return <span class="pin-where figures">{say("onAirSince", { time: lasting(tickingNow() - since) })}</span>;
}

function Price({ now }: { now: PriceNow }) {
  const { deal } = now;
  return (
    <div class="pin-price">
      {deal && !calm.value && (
        <span class="pin-deal figures"><Zap size={14} aria-hidden="true" />{say(deal.phase === "on" ? "dealOn" : "dealIn", { time: lasting(deal.until - tickingNow()) })}</span>
      )}
      <strong class="price"><Roll>{money(now.price)}</Roll></strong>
      {!calm.value && now.after && <span class="small muted figures">{say("after", { price: money(now.after) })}</span>}
      {!calm.value && now.reference && <Reference now={now} reference={now.reference} />}
      {me.value?.country !== "US" && <span class="tiny muted" data-testid="vat-note">{say("withVat")}</span>}
    </div>
  );
}

/** Beside any reduction the lowest price of 30 days, and a percentage of that alone (§ 11 PAngV). */
function Reference({ now, reference }: { now: PriceNow; reference: Money }) {
  const percent = reducedPercent(now);
  return (
    <span class="tiny muted figures pin-reference" data-testid="reference-price">
      {percent !== null && <strong data-testid="reduced-percent">{say("reduced", { n: percent })}</strong>} {say("reference", { price: money(reference) })}
    </span>
  );
}

/** A minor sees whether there is any, never how few; `mine`: there is, for this viewer alone. */
function Stock({ offer, mine }: { offer: Offer; mine: boolean }) {
  if (mine) return <p class="pin-stock small"><span data-testid="stock-left">{say("setAside")}</span></p>;
  const none = soldOut(offer);
  if (none || calm.value || offer.left === null) {
    const word = none ? "soldOut" : calm.value ? "available" : "untracked";
    return <p class="pin-stock small"><span data-testid="stock-left">{say(word)}</span></p>;
  }
  return (
    <div class="pin-stock">
      <span class="stock-bar" aria-hidden="true"><i style={{ transform: `scaleX(${stockShare(offer)})` }} /></span>
      <span class="small"><strong data-testid="stock-left"><Roll>{count(offer.left)}</Roll></strong> {say("left")}</span>
    </div>
  );
}

function BuyRow({ watching, offer, now }: { watching: Watching; offer: Offer; now: PriceNow }) {
  const [wanted, setWanted] = useState(1);
  const most = mostPieces(offer);
  const quantity = Math.min(wanted, most);
  const label = soldOut(offer) ? "soldOut" : calm.value ? "request" : "buy";
  return (
    <div class="pin-buy">
      <Quantity quantity={quantity} most={most} set={setWanted} />
      <button type="button" class="button button-spend" data-testid="buy" onClick={() => void watching.buy(offer, quantity)}>{say(label)}</button>
      <p class="tiny muted pin-hint">
        {quantity > 1 && <span class="figures">{say("total", { price: money(times(now.price, quantity)), n: quantity })}</span>}
        {offer.per_buyer_limit !== null && offer.per_buyer_limit < 10 && <span>{say("perBuyer", { n: offer.per_buyer_limit })}</span>}
      </p>
    </div>
  );
}

/** On a phone the lower third lifts to show every offer. */
function Lift({ watching }: { watching: Watching }) {
  const up = watching.lifted.value;
  return (
    <button type="button" class="lift" aria-expanded={up} aria-controls="rail" onClick={() => { watching.lifted.value = !up; }}>
      <ChevronUp size={20} aria-hidden="true" /><span class="visually-hidden">{say(up ? "hideOffers" : "showOffers")}</span>
    </button>
  );
}

export function AlsoOnAir({ watching }: { watching: Watching }) {
  const known = watching.known.value;
  const shown = watching.card.value?.offer.id;
  const others = known ? pinnedOffers(known).filter((offer) => offer.id !== shown) : [];
  if (others.length === 0 || !known) return null;
  return (
    <div class="also">
      <h3>{say("alsoOnAir")}</h3>
      {others.map((offer) => (
        <button type="button" class="also-offer" key={offer.id} onClick={() => { watching.chosen.value = offer.id; }}>
          <ProductPicture image={offer.image} title={offer.title} />
          <span><span class="also-title">{offer.title}</span><strong class="figures">{money(priceNow(offer, known.show.deal, tickingNow()).price)}</strong></span>
        </button>
      ))}
    </div>
  );
}
