/** The running order: planned against actual, the one large Next, and the editor. */
import { ListPlus, Pencil, SkipForward } from "lucide-preact";
import { tickingNow } from "../lib/clock";
import { lasting } from "../lib/format";
import { isOnAir, type Known } from "../lib/showstate";
import type { Studio } from "./ctrl";
import { Editor, editing, startEditing } from "./editor";
import { lateMs, partsFromOffers, partsOf, timings, withNewPart, type Timing } from "./order";
import { nextStep } from "./plan";
import { say } from "./words";

const LATE_SHOWN_MS = 30_000;

export function Rundown({ studio }: { studio: Studio }) {
  const known = studio.known.value;
  if (!known) return null;
  if (editing.value) return <section class="panel rundown" aria-label={say("rundown")}><Editor studio={studio} known={known} /></section>;
  const planned = known.segments.length > 0;
  return (
    <section class="panel rundown" aria-label={say("rundown")} data-on-air={isOnAir(known.show.state) ? "" : undefined}>
      <header class="row row-apart">
        <h2>{say("rundown")}</h2>
        {planned && <button type="button" class="button button-small button-plain" data-testid="open-rundown" aria-label={say("editPlan")} onClick={() => startEditing(partsOf(known.segments))}><Pencil size={16} aria-hidden="true" />{say("change")}</button>}
      </header>
      {planned ? <Parts known={known} /> : <NoPlan known={known} />}
      <Next studio={studio} known={known} />
    </section>
  );
}

function NoPlan({ known }: { known: Known }) {
  const { offers } = known.show;
  return (
    <div class="stack">
      <p class="small muted">{say("noRundown")}</p>
      <div class="row">
        {offers.length > 0 && <button type="button" class="button button-small" onClick={() => startEditing(partsFromOffers(offers))}><ListPlus size={16} aria-hidden="true" />{say("planFromOffers")}</button>}
        <button type="button" class="button button-small" data-testid="open-rundown" onClick={() => startEditing(withNewPart([]))}>{say("planOwn")}</button>
      </div>
    </div>
  );
}

function Parts({ known }: { known: Known }) {
  const parts = timings(known.segments, known.current, tickingNow());
  const late = lateMs(parts);
  const planned = parts.reduce((sum, part) => sum + part.plannedMs, 0);
  return (
    <>
      <p class="tiny muted figures">
        {say("plannedInAll", { time: lasting(planned) })}
        {known.current !== null && <span data-late={late > LATE_SHOWN_MS ? "" : undefined}> · {late > LATE_SHOWN_MS ? say("late", { time: lasting(late) }) : late < -LATE_SHOWN_MS ? say("early", { time: lasting(-late) }) : say("inTime")}</span>}
      </p>
      <ol>{known.segments.map((segment, place) => <PartRow key={place} title={segment.title} timing={parts[place] as Timing} />)}</ol>
    </>
  );
}

function PartRow({ title, timing: { state, plannedMs, actualMs } }: { title: string; timing: Timing }) {
  const over = actualMs !== null && actualMs > plannedMs;
  return (
    <li aria-current={state === "now" ? "step" : undefined} data-when={state}>
      <strong>{title}</strong>
      <span class="part-times tiny figures">{actualMs !== null && <b data-over={over ? "" : undefined}>{lasting(actualMs)}</b>}<span class="muted">{actualMs !== null ? "/ " : ""}{lasting(plannedMs)}</span></span>
      {state === "now" && <span class="part-bar" aria-hidden="true"><i data-over={over ? "" : undefined} style={{ transform: `scaleX(${Math.min(1, (actualMs ?? 0) / Math.max(1, plannedMs))})` }} /></span>}
    </li>
  );
}

function Next({ studio, known }: { studio: Studio; known: Known }) {
  const step = nextStep(known);
  const nothing = step.kind === "none";
  return (
    <button type="button" class="button button-solid next" title={say("nextHint")} disabled={nothing || studio.busy.value} onClick={() => void studio.next()} data-testid="next">
      <span class="next-word"><SkipForward size={24} aria-hidden="true" />{say("next")}</span>
      <span class="next-title">{step.kind === "none" ? say(known.segments.length > 0 ? "nextLast" : "nextNothing") : step.title}</span>
      <kbd>N</kbd>
    </button>
  );
}
