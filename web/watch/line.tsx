/** Instead of Buy when an offer is sold out: join the line, one's place in it, one's turn. */
import { useEffect, useState } from "preact/hooks";
import { serverNow, tickingNow } from "../lib/clock";
import { lasting } from "../lib/format";
import { toMs } from "../lib/time";
import { mostWished, soldOut } from "../lib/offers";
import { calm, me, signInAddress } from "../lib/session";
import type { Offer, Show } from "../lib/shapes";
import { detailOf, sorryFor } from "../lib/sorry";
import type { Watching } from "./ctrl";
import { Quantity } from "./quantity";
import { say } from "./words";

/** Whether the line has the word: there is nothing for everyone, or something for this viewer alone. */
export function isInLine(watching: Watching, offer: Offer, show: Show): boolean {
  const state = watching.places.of(offer.id)?.line.state ?? "none";
  return state === "offered" || (soldOut(offer) && show.waitlist !== "first_paid");
}

export function Line({ watching, offer }: { watching: Watching; offer: Offer }) {
  const { places } = watching;
  const signedIn = Boolean(me.value);
  useEffect(() => { if (signedIn) places.look(offer.id); }, [signedIn, offer.id]);
  const place = places.of(offer.id);
  if (place?.line.state === "offered") return <Turn watching={watching} offer={offer} />;
  return (
    <div class="pin-buy pin-line">
      {place?.line.state === "waiting" ? <Waits watching={watching} offer={offer} /> : <Join watching={watching} offer={offer} />}
      {places.failure.value !== null && <p class="small pin-fault" role="alert">{sorryFor(places.failure.value)} {detailOf(places.failure.value)}</p>}
    </div>
  );
}

function Join({ watching, offer }: { watching: Watching; offer: Offer }) {
  const [quantity, setQuantity] = useState(1);
  const ended = watching.places.of(offer.id)?.ended;
  return (
    <>
      {me.value && <Quantity quantity={quantity} most={mostWished(offer)} set={setQuantity} />}
      {me.value
        ? <button type="button" class="button button-solid" data-testid="waitlist-join" onClick={() => void watching.places.join(offer.id, quantity)}>{say("join")}</button>
        : <a class="button button-solid" data-testid="waitlist-join" href={signInAddress()}>{say("signInToJoin")}</a>}
      <p class="tiny muted pin-hint" role="status">{say(ended === "expired" ? "turnOver" : ended === "closed" ? "lineClosed" : "joinNote")}</p>
    </>
  );
}

function Waits({ watching, offer }: { watching: Watching; offer: Offer }) {
  const { place } = watching.places.of(offer.id)?.line ?? { place: null };
  return (
    <>
      <p class="pin-place" role="status" data-testid="waitlist-place">{place === null ? say("inLine") : say("placeInLine", { n: place })}</p>
      <button type="button" class="button button-small" data-testid="waitlist-leave" onClick={() => void watching.places.leave(offer.id)}>{say("leaveLine")}</button>
      <p class="tiny muted pin-hint">{say("joinNote")}</p>
    </>
  );
}

/** A minor sees that it is its turn, and no clock. */
function Turn({ watching, offer }: { watching: Watching; offer: Offer }) {
  const line = watching.places.of(offer.id)?.line;
  const until = toMs(line?.until) ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => watching.places.lookAgain(), Math.max(0, until - serverNow()) + 1000);
    return () => clearTimeout(timer);
  }, [until]);
  if (!line) return null;
  return (
    <div class="pin-buy pin-line">
      <p class="pin-place" data-testid="waitlist-turn">
        <strong role="status">{say("yourTurn")}</strong>
        {!calm.value && <span class="figures" role="timer">{lasting(Math.max(0, until - tickingNow()))}</span>}
      </p>
      <button type="button" class="button button-small" data-testid="waitlist-leave" onClick={() => void watching.places.leave(offer.id)}>{say("decline")}</button>
      <button type="button" class="button button-spend" data-testid="buy" onClick={() => void watching.buy(offer, line.quantity)}>{say(calm.value ? "request" : "buy")}</button>
      <p class="tiny muted pin-hint">{say("keptForYou", { n: line.quantity })}</p>
    </div>
  );
}
