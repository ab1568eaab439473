/** Captions of the host's words: which are on the picture now, and whether this viewer wants them. */
import { signal } from "@preact/signals";
import { keepCaptions, keptCaptions } from "../lib/preference";
import type { HubEvent } from "../lib/shapes";

/** As long as it takes to read: 15 characters a second, never a flash. */
const READ_MS_A_CHARACTER = 66;
const SHORTEST_MS = 2000;
const LONGEST_MS = 8000;
const LINES = 2;

export interface Caption { text: string; lang: string; untilMs: number }

export const isCaption = (event: HubEvent): boolean => event.type === "caption";

/** `nowMs`: when its picture is on screen. */
export function captionOf(event: HubEvent, nowMs: number): Caption {
  const text = String(event.text ?? "");
  const given = typeof event.duration_ms === "number" ? event.duration_ms : text.length * READ_MS_A_CHARACTER;
  return { text, lang: String(event.lang ?? ""), untilMs: nowMs + Math.min(LONGEST_MS, Math.max(SHORTEST_MS, given)) };
}

/** What is still to be read, the newest two. */
export const stillShown = (captions: readonly Caption[], nowMs: number): Caption[] =>
  captions.filter(({ untilMs }) => untilMs > nowMs).slice(-LINES);

export class Captioning {
  readonly on = signal(keptCaptions());
  /** There has been one: the switch is worth its place. */
  readonly offered = signal(false);
  readonly shown = signal<Caption[]>([]);

  turn(on: boolean): void {
    this.on.value = on;
    keepCaptions(on);
  }

  heard(event: HubEvent, nowMs: number): void {
    this.offered.value = true;
    this.shown.value = stillShown([...this.shown.value, captionOf(event, nowMs)], nowMs);
  }

  tick(nowMs: number): void {
    const shown = stillShown(this.shown.value, nowMs);
    if (shown.length !== this.shown.value.length) this.shown.value = shown;
  }
}
