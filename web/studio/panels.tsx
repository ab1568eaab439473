/** The quieter panels: checklist, figures, chat. */
import { Check, Circle, X } from "lucide-preact";
import { count, money } from "../lib/format";
import { Roll } from "../lib/pieces";
import { HEARD_LEVEL } from "./camera";
import type { Studio } from "./ctrl";
import { orderCounts, piecesLeft, readiness } from "./plan";
import { canSendH264 } from "./peer";
import { say } from "./words";

export function Checklist({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  if (!known) return null;
  const { camera } = studio;
  const canEncode = canSendH264();
  const ready = readiness(known, { picture: camera.has("video"), heard: camera.loudest.value > HEARD_LEVEL }, canEncode && studio.reachable.value === true);
  const rows: { done: boolean; text: string; todo: string }[] = [
    { done: ready.camera, text: say("checkCamera"), todo: say("todoCamera") },
    { done: ready.level, text: say("checkLevel"), todo: say("todoLevel") },
    { done: ready.upload, text: say("checkUpload"), todo: say(canEncode ? "todoUpload" : "noH264") },
    { done: ready.stock, text: say("checkStock"), todo: say("todoStock") },
    { done: ready.pin, text: say("checkPin"), todo: say("todoPin") },
  ];
  return (
    <section class="panel" aria-label={say("checklist")}>
      <header class="row row-apart"><h2>{say("checklist")}</h2><span class={rows.every(({ done }) => done) ? "chip chip-calm" : "chip"}>{rows.filter(({ done }) => done).length} / {rows.length}</span></header>
      <ul class="checklist" data-testid="checklist">
        {rows.map(({ done, text, todo }) => (
          <li key={text} data-done={done ? "" : undefined}>
            {done ? <Check size={18} aria-label={say("done")} /> : <Circle size={18} aria-label={say("notDone")} />}
            <span>{text}{!done && <span class="tiny muted">{todo}</span>}</span>
          </li>
        ))}
      </ul>
      <p class="tiny muted">{say("checkOptional")}</p>
    </section>
  );
}

export function Figures({ studio }: { studio: Studio }) {
  const show = studio.known.value?.show;
  if (!show) return null;
  const orders = orderCounts(show.orders);
  const tiles: { key: string; label: string; value: string; hint: string; under?: string }[] = [
    { key: "viewers", label: say("viewers"), value: count(show.viewers ?? 0), hint: say("viewersHint") },
    { key: "orders", label: say("orders"), value: orders ? count(orders.paid) : "–", hint: say("ordersHint"), under: orders && orders.open > 0 ? say("open_orders", { n: orders.open }) : "" },
    { key: "revenue", label: say("revenue"), value: show.revenue ? money(show.revenue) : "–", hint: say("revenueHint") },
    { key: "left", label: say("left"), value: count(piecesLeft(show.offers)), hint: say("leftHint") },
  ];
  return (
    <dl class="tiles-row">
      {tiles.map(({ key, label, value, hint, under }) => (
        <div key={key} title={hint}><dt>{label}</dt><dd data-testid={`studio-${key}`}><Roll>{value}</Roll></dd>{under && <dd class="tiny muted figures">{under}</dd>}</div>
      ))}
    </dl>
  );
}

/** Typed along with what is said: viewers who cannot hear it read it on the picture. */
export function CaptionField({ studio }: { studio: Studio }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get("text") ?? "").trim();
    if (text) void studio.caption(text).then((sent) => { if (sent) form.reset(); });
  };
  return (
    <form class="caption-field" onSubmit={submit}>
      <label class="field"><span>{say("captions")}</span><input name="text" maxLength={200} autocomplete="off" placeholder={say("captionsHint")} data-testid="caption-input" /></label>
      <button type="submit" class="button button-small">{say("captionSend")}</button>
    </form>
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
      <div class="studio-lines" role="log" aria-live="polite" aria-label={say("chat")} tabIndex={0}>
        {lines.length === 0 && <p class="muted small">{say("chatEmpty")}</p>}
        {[...lines].reverse().map((line) => (
          <p key={line.id}><span><b>{line.name}</b> {line.text}</span><button type="button" aria-label={say("remove")} title={say("remove")} onClick={() => void studio.removeLine(line.id)}><X size={16} aria-hidden="true" /></button></p>
        ))}
      </div>
      <form onSubmit={submit}><input class="input" name="text" maxLength={300} autocomplete="off" placeholder={say("answer")} aria-label={say("answer")} data-testid="chat-input" /></form>
    </section>
  );
}
