/** The viewer's places in the lines of sold-out offers: asked for once, then told by the hub. */
import { signal } from "@preact/signals-core";
import { get, post, remove } from "../lib/api";
import { everyWhileSeen } from "../lib/loading";
import type { HubEvent, InLine, Time } from "../lib/shapes";

/** A place moves up unheard; everyone who waits asking every second would be a storm. */
const LOOK_AGAIN_MS = 60_000;

/** Why a place is gone, when that was not the viewer's own doing. */
export type Ended = "expired" | "closed";

export interface Place { line: InLine; ended: Ended | null }

export const isAboutLine = (event: HubEvent): boolean => event.type === "notice" && event.about === "waitlist";

/** What a notice says of a place; a place it does not know by number keeps the one it had. */
export function placeAfter(event: HubEvent, before: Place | undefined): Place {
  const offer = String(event.offer);
  const none: InLine = { offer, state: "none", quantity: 0, place: null, waiting: before?.line.waiting ?? 0, until: null };
  const quantity = Number(event.quantity);
  if (event.state === "offered") return { line: { ...none, state: "offered", quantity, until: event.until as Time }, ended: null };
  if (event.state === "waiting") return { line: { ...none, state: "waiting", quantity, place: before?.line.place ?? null }, ended: null };
  return { line: none, ended: event.state === "expired" || event.state === "closed" ? event.state : null };
}

export class Places {
  readonly known = signal<Record<string, Place>>({});
  readonly failure = signal<unknown>(null);
  private asked = new Set<string>();

  constructor() {
    everyWhileSeen(LOOK_AGAIN_MS, () => this.lookAgain());
  }

  of(offer: string): Place | undefined {
    return this.known.value[offer];
  }

  look(offer: string): void {
    if (this.asked.has(offer)) return;
    this.asked.add(offer);
    void this.take(offer, get<InLine>(`/offers/${offer}/waitlist`));
  }

  lookAgain(): void {
    for (const [offer, { line }] of Object.entries(this.known.value)) {
      if (line.state !== "none") void this.take(offer, get<InLine>(`/offers/${offer}/waitlist`));
    }
  }

  join(offer: string, quantity: number): Promise<void> {
    return this.take(offer, post<InLine>(`/offers/${offer}/waitlist`, { quantity }));
  }

  leave(offer: string): Promise<void> {
    return this.take(offer, remove<InLine>(`/offers/${offer}/waitlist`));
  }

  heard(event: HubEvent): void {
    const offer = String(event.offer);
    this.set(offer, placeAfter(event, this.of(offer)));
  }

  private async take(offer: string, answer: Promise<InLine>): Promise<void> {
    this.failure.value = null;
    try {
      this.set(offer, { line: await answer, ended: null });
    } catch (error) {
      this.failure.value = error;
    }
  }

  private set(offer: string, place: Place): void {
    this.known.value = { ...this.known.value, [offer]: place };
  }
}
