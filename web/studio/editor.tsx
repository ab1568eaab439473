/** The running order's editor: parts with title, minutes and offers; what has run is fixed. */
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-preact";
import { signal } from "@preact/signals";
import type { Offer } from "../lib/shapes";
import type { Known } from "../lib/showstate";
import type { Studio } from "./ctrl";
import { changedPart, movedPart, segmentsOf, withNewPart, withoutPart, type Part } from "./order";
import { say } from "./words";

const MOST_PINS = 3;
const parts = signal<Part[] | null>(null);
const unfinished = signal(false);

export { parts as editing };

export function startEditing(from: Part[]): void {
  parts.value = from;
  unfinished.value = false;
}

const stop = (): void => { parts.value = null; };

export function Editor({ studio, known }: { studio: Studio; known: Known }) {
  const list = parts.value ?? [];
  const past = known.current ?? 0;
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const segments = segmentsOf(list);
    unfinished.value = segments === null;
    if (segments && await studio.plan(segments)) stop();
  };
  return (
    <form class="editor" onSubmit={(event) => void save(event)} onKeyDown={(event) => { if (event.key === "Escape") stop(); }} data-testid="rundown-editor">
      <h2>{say("editPlan")}</h2>
      <ol>{list.map((part, place) => <PartFields key={part.key} part={part} place={place} last={place === list.length - 1} ran={place < past} locked={known.current === null ? 0 : past + 1} offers={known.show.offers} />)}</ol>
      <button type="button" class="button button-small" data-testid="add-part" onClick={() => { parts.value = withNewPart(list); }}><Plus size={16} aria-hidden="true" />{say("addPart")}</button>
      {unfinished.value && <p class="field-fault" role="alert">{say("unfinished")}</p>}
      <div class="row">
        <button class="button button-solid button-small" disabled={studio.busy.value} data-testid="save-rundown">{say("save")}</button>
        <button type="button" class="button button-small" onClick={stop}>{say("cancel")}</button>
      </div>
    </form>
  );
}

interface PartProps { part: Part; place: number; last: boolean; ran: boolean; locked: number; offers: Offer[] }

function PartFields({ part, place, last, ran, locked, offers }: PartProps) {
  const change = (what: Partial<Part>): void => { parts.value = changedPart(parts.value ?? [], part.key, what); };
  const move = (by: -1 | 1): void => { parts.value = movedPart(parts.value ?? [], part.key, by, locked); };
  const fixed = place < locked;
  return (
    <li>
      <fieldset disabled={ran}>
        <legend class="visually-hidden">{say("part", { n: place + 1 })}</legend>
        <div class="part-fields">
          <input class="input" aria-label={say("partTitle")} placeholder={say("partTitle")} value={part.title} maxLength={120} onInput={(event) => change({ title: event.currentTarget.value })} />
          <label class="part-minutes"><input class="input figures" aria-label={say("partMinutes")} inputMode="decimal" value={part.minutes} onInput={(event) => change({ minutes: event.currentTarget.value })} /><span class="tiny muted" aria-hidden="true">min</span></label>
        </div>
        <div class="part-tools">
          <PartOffers part={part} offers={offers} change={change} />
          <span class="part-moves">
            <button type="button" aria-label={say("partUp")} title={say("partUp")} disabled={fixed || place <= locked} onClick={() => move(-1)}><ArrowUp size={16} aria-hidden="true" /></button>
            <button type="button" aria-label={say("partDown")} title={say("partDown")} disabled={fixed || last} onClick={() => move(1)}><ArrowDown size={16} aria-hidden="true" /></button>
            <button type="button" aria-label={say("partRemove")} title={say("partRemove")} disabled={fixed} onClick={() => { parts.value = withoutPart(parts.value ?? [], part.key); }}><Trash2 size={16} aria-hidden="true" /></button>
          </span>
        </div>
      </fieldset>
    </li>
  );
}

function PartOffers({ part, offers, change }: { part: Part; offers: Offer[]; change: (what: Partial<Part>) => void }) {
  const titles = part.offers.map((id) => offers.find((offer) => offer.id === id)?.title ?? id);
  const toggle = (id: string): void => change({ offers: part.offers.includes(id) ? part.offers.filter((one) => one !== id) : [...part.offers, id] });
  return (
    <details class="part-offers">
      <summary class="tiny">{titles.length > 0 ? titles.join(", ") : say("partNoOffers")}</summary>
      <div class="part-choices">
        {offers.map((offer) => (
          <label key={offer.id} class="small"><input type="checkbox" value={offer.id} checked={part.offers.includes(offer.id)} disabled={!part.offers.includes(offer.id) && part.offers.length >= MOST_PINS} onChange={() => toggle(offer.id)} />{offer.title}</label>
        ))}
        {offers.length === 0 && <span class="tiny muted">{say("noOffers")}</span>}
      </div>
    </details>
  );
}
