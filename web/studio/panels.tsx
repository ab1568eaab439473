/** The quieter panels: checklist, rundown, figures, chat, the card as viewers see it. */
import { Check, Circle, SkipForward, X } from "lucide-preact";
import { tickingNow } from "../lib/clock";
import { count, lasting, money } from "../lib/format";
import { priceNow } from "../lib/offers";
import { ProductPicture, Roll } from "../lib/pieces";
import { pinnedOffers } from "../lib/showstate";
import { HEARD_LEVEL } from "./camera";
import type { Studio } from "./ctrl";
import { orderCounts, piecesLeft, readiness } from "./plan";
import { canSendH264 } from "./whip";
import { say } from "./words";

export function Checklist({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  if (!known) return null;
  const { camera } = studio;
  const ready = readiness(known, { picture: camera.stream.value !== null, heard: camera.loudest.value > HEARD_LEVEL }, canSendH264());
  const rows: [boolean, string][] = [
    [ready.camera, say("checkCamera")], [ready.level, say("checkLevel")], [ready.codec, say("checkCodec")], [ready.stock, say("checkStock")], [ready.pin, say("checkPin")],
  ];
  return (
    <section class="panel" aria-label={say("checklist")}>
      <h2>{say("checklist")}</h2>
      <ul class="checklist">
        {rows.map(([done, text]) => <li key={text} data-done={done ? "" : undefined}>{done ? <Check size={18} aria-hidden="true" /> : <Circle size={18} aria-hidden="true" />}<span>{text}</span><span class="visually-hidden">{done ? "✓" : "–"}</span></li>)}
      </ul>
      <p class="tiny muted">{say("checkOptional")}</p>
    </section>
  );
}

export function Rundown({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  if (!known) return null;
  const since = studio.segmentSince.value;
  return (
    <section class="panel rundown" aria-label={say("rundown")}>
      <h2>{say("rundown")}</h2>
      {known.segments.length === 0 && (
        <div class="stack"><p class="small muted">{say("noRundown")}</p>{known.show.offers.length > 0 && <button type="button" class="button button-small" onClick={() => void studio.planFromOffers()}>{say("planFromOffers")}</button>}</div>
      )}
      <ol>
        {known.segments.map((segment, index) => {
          const now = index === known.current;
          const over = now && since !== null && tickingNow() - since > segment.planned_s * 1000;
          return (
            <li key={index} aria-current={now ? "step" : undefined} data-past={known.current !== null && index < known.current ? "" : undefined}>
              <strong>{segment.title}</strong>
              <span class="tiny muted figures">{say("planned", { n: Math.round(segment.planned_s / 60) })}{now && since !== null && <b data-over={over ? "" : undefined}> · {say("actual", { time: lasting(tickingNow() - since) })}</b>}</span>
            </li>
          );
        })}
      </ol>
      <button type="button" class="button button-solid next" title={say("nextHint")} onClick={() => void studio.next()} data-testid="next"><SkipForward size={22} aria-hidden="true" />{say("next")}<kbd>N</kbd></button>
    </section>
  );
}

export function Figures({ studio }: { studio: Studio }) {
  const show = studio.known.value?.show;
  if (!show) return null;
  const orders = orderCounts(show.orders);
  const tiles: { key: string; label: string; value: string; hint: string; under?: string }[] = [
    { key: "viewers", label: say("viewers"), value: count(show.viewers ?? 0), hint: say("viewersHint") },
    { key: "orders", label: say("orders"), value: orders ? count(orders.paid) : "–", hint: say("ordersHint"), under: orders ? say("open_orders", { n: orders.open }) : "" },
    { key: "revenue", label: say("revenue"), value: show.revenue ? money(show.revenue) : "–", hint: say("revenueHint") },
    { key: "left", label: say("left"), value: count(piecesLeft(show.offers)), hint: say("leftHint") },
  ];
  return (
    <dl class="tiles-row">
      {tiles.map(({ key, label, value, hint, under }) => (
        <div key={key} title={hint}><dt>{label}</dt><dd data-testid={`studio-${key}`}><Roll>{value}</Roll></dd>{under && <span class="tiny muted figures">{under}</span>}</div>
      ))}
    </dl>
  );
}

export function OnCard({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  const offer = known ? pinnedOffers(known)[0] : undefined;
  return (
    <section class="panel on-card" aria-label={say("onCard")}>
      <h2>{say("onCard")}</h2>
      {known && offer
        ? <div class="offer-row"><ProductPicture image={offer.image} title={offer.title} /><div class="offer-text"><span class="offer-title">{offer.title}</span><strong class="on-card-price figures">{money(priceNow(offer, known.show.deal, tickingNow()).price)}</strong></div></div>
        : <p class="small muted">{say("nothingPinned")}</p>}
    </section>
  );
}

export function StudioChat({ studio }: { studio: Studio }) {
  const lines = studio.known.value?.chat ?? [];
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get("text") ?? "").trim();
    if (text) void studio.answer(text).then(() => form.reset());
  };
  return (
    <section class="panel studio-chat" aria-label={say("chat")}>
      <h2>{say("chat")}</h2>
      <ol role="log" aria-live="polite" tabIndex={0}>
        {lines.length === 0 && <li class="muted small">{say("chatEmpty")}</li>}
        {[...lines].reverse().map((line) => (
          <li key={line.id}><span><b>{line.name}</b> {line.text}</span><button type="button" aria-label={say("remove")} title={say("remove")} onClick={() => void studio.removeLine(line.id)}><X size={16} aria-hidden="true" /></button></li>
        ))}
      </ol>
      <form onSubmit={submit}><input class="input" name="text" maxLength={300} autocomplete="off" placeholder={say("answer")} aria-label={say("answer")} data-testid="chat-input" /></form>
    </section>
  );
}
