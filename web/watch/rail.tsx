/** The running order as a film strip: past dimmed, now ringed, next peeking. Without one: every offer. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { tickingNow } from "../lib/clock";
import { money } from "../lib/format";
import { priceNow, soldOut } from "../lib/offers";
import { ProductPicture } from "../lib/pieces";
import { calm } from "../lib/session";
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
  const now = frames.findIndex((frame) => frame.when === "now");
  return (
    <nav class="rail" id="rail" aria-label={say(byRundown ? "rail" : "offers")}>
      <h3>{say(byRundown ? "rail" : "offers")}</h3>
      <Strip now={now}>
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
      </Strip>
    </nav>
  );
}

/** What is on air is in view, also when the strip appears or changes its size; else it stays where the viewer has pulled it. */
function Strip({ now, children }: { now: number; children: ComponentChildren }) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (!list.current) return undefined;
    bringUp(list.current, now, calm.value || matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
    const resized = new ResizeObserver(([entry]) => { if (entry) bringUp(entry.target as HTMLElement, now, "instant"); });
    resized.observe(list.current);
    return () => resized.disconnect();
  }, [now]);
  return <ol ref={list}>{children}</ol>;
}

/** A little of what was before stays in sight. */
function bringUp(list: HTMLElement, now: number, behavior: ScrollBehavior): void {
  const frame = list.children[now] as HTMLElement | undefined;
  if (frame) list.scrollTo({ left: frame.offsetLeft - list.offsetLeft - frame.clientWidth / 2, behavior });
}

function pick(watching: Watching, offer: Offer | undefined): void {
  watching.chosen.value = offer?.id ?? null;
  watching.lifted.value = false;
}
