/** Captions of the host's words: which are on the picture now, and whether this viewer wants them. */
import { signal } from "@preact/signals";
import { keepCaptions, keptCaptions } from "../lib/preference";
import type { HubEvent } from "../lib/shapes";

const LINES = 2;

export interface Caption { text: string; lang: string; untilMs: number }

export const isCaption = (event: HubEvent): boolean => event.type === "caption";

/** Shown from `nowMs`, when its picture is on screen, for as long as the server says it takes to read. */
export const captionOf = (event: HubEvent, nowMs: number): Caption =>
  ({ text: String(event.text ?? ""), lang: String(event.lang ?? ""), untilMs: nowMs + Number(event.ends_ms) - Number(event.begins_ms) });

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
