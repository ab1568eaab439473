/** The events behind a show's numbers: its newest log entries, as they are. */
import { X } from "lucide-preact";
import { signal } from "@preact/signals";
import { get } from "../lib/api";
import { Failed, Loading } from "../lib/pieces";
import type { Listed, OpsShow } from "../lib/shapes";
import type { Loaded } from "../lib/loading";
import { say } from "./words";

interface Entry { seq?: number; at?: number | string; events?: { type: string; [field: string]: unknown }[] }

const SHOWN = 100;

const chosen = signal<OpsShow | null>(null);
const entries = signal<Loaded<Entry[]>>({ kind: "loading" });

export async function openLog(show: OpsShow): Promise<void> {
  chosen.value = show;
  entries.value = { kind: "loading" };
  try {
    const head = await get<{ seq?: number }>(`/shows/${show.id}/head`);
    const after = Math.max(0, (head.seq ?? 0) - SHOWN);
    const listed = await get<Listed<Entry>>(`/shows/${show.id}/log?limit=${SHOWN}&after=${after}`);
    if (chosen.value === show) entries.value = { kind: "here", value: [...listed.items].reverse() };
  } catch (error) {
    if (chosen.value === show) entries.value = { kind: "failed", error };
  }
}

export function LogPanel() {
  const show = chosen.value;
  const state = entries.value;
  if (!show) return null;
  return (
    <section class="card log">
      <header class="row row-apart"><h2>{say("log", { title: show.title })}</h2><button type="button" class="button button-icon button-plain" aria-label={say("close")} onClick={() => { chosen.value = null; }}><X size={18} aria-hidden="true" /></button></header>
      {state.kind === "loading" && <Loading heights={["120px"]} />}
      {state.kind === "failed" && <Failed error={state.error} retry={() => void openLog(show)} />}
      {state.kind === "here" && state.value.length === 0 && <p class="muted">{say("logEmpty")}</p>}
      {state.kind === "here" && <ol tabIndex={0}>{state.value.map((entry, index) => <Line key={entry.seq ?? index} entry={entry} />)}</ol>}
    </section>
  );
}

function Line({ entry }: { entry: Entry }) {
  const at = entry.at === undefined ? "" : new Date(entry.at).toLocaleTimeString();
  return (
    <li class="figures">
      <span class="muted">{entry.seq ?? ""}</span><span class="muted">{at}</span>
      <span>{(entry.events ?? []).map((event) => event.type.replaceAll("_", " ")).join(", ") || "–"}</span>
    </li>
  );
}
