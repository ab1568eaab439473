/** The card on air exactly as an adult viewer reads it now, in the watch page's own words; nothing here can be pressed. */
import { Zap } from "lucide-preact";
import { tickingNow } from "../lib/clock";
import { count, lasting, money } from "../lib/format";
import { priceNow, soldOut, stockShare } from "../lib/offers";
import { ProductPicture, Roll } from "../lib/pieces";
import type { Offer } from "../lib/shapes";
import { pinnedOffers, type Known } from "../lib/showstate";
import { say as sayWatch } from "../watch/words";
import type { Studio } from "./ctrl";
import { say } from "./words";

export function AirCard({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  const [offer, ...others] = known ? pinnedOffers(known) : [];
  return (
    <section class="panel" aria-label={say("onCard")}>
      <header class="row row-apart"><h2>{say("onCard")}</h2>{others.length > 0 && <span class="tiny muted figures">{say("alsoPinned", { n: others.length })}</span>}</header>
      {known && offer ? <OnAir known={known} offer={offer} key={offer.id} /> : <p class="small muted">{say("nothingPinned")}</p>}
    </section>
  );
}

function OnAir({ known, offer }: { known: Known; offer: Offer }) {
  const now = priceNow(offer, known.show.deal, tickingNow());
  return (
    <div class="air-card" data-testid="air-card" data-offer={offer.id}>
      <ProductPicture image={offer.image} title={offer.title} />
      <div class="air-text">
        {known.pinnedAt !== null && <span class="tiny muted figures">{sayWatch("onAirSince", { time: lasting(tickingNow() - known.pinnedAt) })}</span>}
        <strong class="air-title">{offer.title}</strong>
        {now.deal && <span class="air-deal tiny figures"><Zap size={14} aria-hidden="true" />{sayWatch(now.deal.phase === "on" ? "dealOn" : "dealIn", { time: lasting(now.deal.until - tickingNow()) })}</span>}
        <span class="air-price"><strong><Roll>{money(now.price)}</Roll></strong>{now.after && <span class="tiny muted figures">{sayWatch("after", { price: money(now.after) })}</span>}</span>
        {now.reference && <span class="tiny muted figures">{sayWatch("reference", { price: money(now.reference) })}</span>}
        <Stock offer={offer} />
      </div>
    </div>
  );
}

function Stock({ offer }: { offer: Offer }) {
  if (offer.left === null || soldOut(offer)) return <span class="small">{sayWatch(soldOut(offer) ? "soldOut" : "untracked")}</span>;
  return (
    <span class="air-stock small">
      <span class="air-bar" aria-hidden="true"><i style={{ transform: `scaleX(${stockShare(offer)})` }} /></span>
      <span><strong><Roll>{count(offer.left)}</Roll></strong> {sayWatch("left")}</span>
    </span>
  );
}
