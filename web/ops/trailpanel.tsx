/** The panel beside the board: the audit's lines behind the number that was pressed, newest first, kept up to date. */
import { X } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../lib/api";
import { secondTime, money } from "../lib/format";
import { everyWhileSeen, type Loaded } from "../lib/loading";
import { Failed, Loading } from "../lib/pieces";
import type { Listed } from "../lib/shapes";
import { say as sayAll } from "../lib/words";
import { MinorBuyer, soldOrderOf } from "./minor";
import { amountOf, belongs, subjectOf, type AuditLine, type Trail } from "./trail";
import { say } from "./words";

const SHOWN = 100;
/** How far back a number's events are looked for; older ones are in the show's log. */
const MOST_PAGES = 3;
const LOOK_MS = 4000;

const chosen = signal<Trail | null>(null);
const lines = signal<Loaded<AuditLine[]>>({ kind: "loading" });

export function openTrail(trail: Trail): void {
  chosen.value = trail;
  lines.value = { kind: "loading" };
  void load(trail);
}

async function load(trail: Trail): Promise<void> {
  try {
    const found = await linesOf(trail);
    if (chosen.value === trail) lines.value = { kind: "here", value: found };
  } catch (error) {
    if (chosen.value === trail && lines.value.kind !== "here") lines.value = { kind: "failed", error };
  }
}

async function linesOf(trail: Trail): Promise<AuditLine[]> {
  const found: AuditLine[] = [];
  let after = "";
  for (let page = 0; page < MOST_PAGES && found.length < SHOWN; page += 1) {
    const listed = await get<Listed<AuditLine>>(`/ops/audit?limit=200${after}`);
    found.push(...listed.items.filter((line) => belongs(line, trail)));
    if (!listed.next) break;
    after = `&after=${encodeURIComponent(listed.next)}`;
  }
  return found.slice(0, SHOWN);
}

everyWhileSeen(LOOK_MS, () => { if (chosen.value) void load(chosen.value); });

const close = (): void => { chosen.value = null; };

export function TrailPanel() {
  const trail = chosen.value;
  const closer = useRef<HTMLButtonElement>(null);
  useEffect(() => { if (trail) closer.current?.focus(); }, [trail]);
  if (!trail) return null;
  const state = lines.value;
  return (
    <section class="card trail" aria-label={trail.title} data-testid="trail" onKeyDown={(event) => { if (event.key === "Escape") close(); }}>
      <header class="row row-apart"><h2>{trail.title}</h2><button type="button" ref={closer} class="button button-icon button-plain" aria-label={sayAll("close")} onClick={close}><X size={18} aria-hidden="true" /></button></header>
      <p class="small muted">{trail.hint}</p>
      {state.kind === "loading" && <Loading heights={["160px"]} />}
      {state.kind === "failed" && <Failed error={state.error} retry={() => openTrail(trail)} />}
      {state.kind === "here" && (state.value.length === 0 ? <p class="muted small">{say("trailEmpty")}</p> : <Lines found={state.value} />)}
    </section>
  );
}

function Lines({ found }: { found: AuditLine[] }) {
  return (
    <ol tabIndex={0} aria-label={say("events")}>
      {found.map((line) => {
        const amount = amountOf(line);
        const sold = soldOrderOf(line);
        return (
          <li key={line.id} class="figures">
            <time class="muted" dateTime={line.at}>{secondTime(line.at)}</time>
            <strong>{line.action}</strong>
            <span class="trail-subject muted" title={JSON.stringify(line.data)}>{subjectOf(line)}</span>
            <span>{amount ? money(amount) : ""}</span>
            {sold && <MinorBuyer order={sold} />}
          </li>
        );
      })}
    </ol>
  );
}
