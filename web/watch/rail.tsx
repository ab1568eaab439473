/** The running order as a film strip: past dimmed, now ringed, next peeking. Without one: every offer. */
import { tickingNow } from "../lib/clock";
import { money } from "../lib/format";
import { priceNow, soldOut } from "../lib/offers";
import { ProductPicture } from "../lib/pieces";
import type { Offer } from "../lib/shapes";
import { offerOf, type Known } from "../lib/showstate";
import type { Watching } from "./ctrl";
import { say } from "./words";

interface Frame { key: string; title: string; offer: Offer | undefined; when: "past" | "now" | "next" }

export function framesOf(known: Known): Frame[] {
  const { segments, current, show } = known;
  if (segments.length > 0) {
    return segments.map((segment, index) => ({
      key: `s${index}`, title: segment.title, offer: offerOf(known, segment.offers[0]),
      when: current === null || index > current ? "next" : index === current ? "now" : "past",
    }));
  }
  return show.offers.map((offer) => ({ key: offer.id, title: offer.title, offer, when: show.pins.includes(offer.id) ? "now" : "next" }));
}

export function Rail({ watching }: { watching: Watching }) {
  const known = watching.known.value;
  const frames = known ? framesOf(known) : [];
  if (!known || frames.length === 0) return null;
  const byRundown = known.segments.length > 0;
  return (
    <nav class="rail" id="rail" aria-label={say(byRundown ? "rail" : "offers")}>
      <h3>{say(byRundown ? "rail" : "offers")}</h3>
      <ol>
        {frames.map((frame) => (
          <li key={frame.key} data-when={frame.when}>
            <button type="button" class="frame" disabled={!frame.offer} aria-current={frame.when === "now" ? "step" : undefined} onClick={() => pick(watching, frame.offer)}>
              <ProductPicture image={frame.offer?.image} title={frame.title} />
              <span class="frame-title">{frame.title}</span>
              {frame.offer && <span class="frame-price figures">{soldOut(frame.offer) ? say("soldOut") : money(priceNow(frame.offer, known.show.deal, tickingNow()).price)}</span>}
              {frame.when === "now" && <span class="frame-now">{say("now")}</span>}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function pick(watching: Watching, offer: Offer | undefined): void {
  watching.chosen.value = offer?.id ?? null;
  watching.lifted.value = false;
}
