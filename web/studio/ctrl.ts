/** The control room's state: one show, its events, the camera, the way in. Every act goes over HTTP. */
import { signal } from "@preact/signals-core";
import { get, patch, post, put, remove } from "../lib/api";
import { HubSocket } from "../lib/hub";
import { language } from "../lib/i18n";
import { everyWhileSeen } from "../lib/loading";
import type { HubEvent, Listed, Money, Offer, Product, Segment, Show } from "../lib/shapes";
import { applied, isOnAir, knownFrom, type Known } from "../lib/showstate";
import { askTicket } from "../lib/ticket";
import { Camera } from "./camera";
import { nextStep, toggledPins } from "./plan";
import { Whip } from "./whip";

const LOOK_MS = 3000;

export class Studio {
  readonly known = signal<Known | null>(null);
  readonly failure = signal<unknown>(null);
  readonly refusal = signal<unknown>(null);
  readonly busy = signal(false);
  readonly products = signal<Product[]>([]);
  /** Whether the studio that takes the picture in answers; null while not known. */
  readonly reachable = signal<boolean | null>(null);
  readonly camera = new Camera();
  readonly whip = new Whip();
  private readonly hub: HubSocket;
  private joined = false;

  constructor(readonly show: string) {
    this.hub = new HubSocket({
      show, media: false,
      ticket: () => askTicket(show),
      listener: { event: (event) => this.hear(event), status: () => undefined },
    });
  }

  start(): void {
    void this.load().then(() => this.loadProducts());
    void this.camera.open();
    everyWhileSeen(LOOK_MS, () => void this.load());
  }

  /** Also while the hub is joined: orders and revenue of a show are told to its host alone, by GET. */
  async load(): Promise<void> {
    try {
      const show = await get<Show>(`/shows/${this.show}`);
      this.failure.value = null;
      this.known.value = knownFrom(show, this.known.value ?? undefined);
      if (isOnAir(show.state)) this.join();
      else if (show.whip) this.reachable.value = await answers(show.whip.url);
    } catch (error) {
      if (!this.known.value) this.failure.value = error;
    }
  }

  /** On air first, then the picture: viewers of a show without one see a placeholder, never an error. */
  goLive(takeover = false): Promise<boolean> {
    return this.doing(async () => {
      const state = this.known.value?.show.state;
      if (state === "draft" || state === "scheduled") await post(`/shows/${this.show}/start`);
      await this.load();
      await this.sendPicture(takeover);
    });
  }

  async useDevices(camera: string | null, microphone: string | null): Promise<void> {
    await this.camera.open(camera, microphone);
    if (this.camera.stream.value) await this.whip.replace(this.camera.stream.value);
  }

  end(how: "end" | "cancel" = "end"): Promise<boolean> {
    return this.doing(async () => {
      await this.whip.stop();
      await post(`/shows/${this.show}/${how}`);
      await this.load();
    });
  }

  pauseOrResume(): Promise<boolean> {
    const verb = this.known.value?.show.state === "paused" ? "resume" : "pause";
    return this.doing(async () => { await post(`/shows/${this.show}/${verb}`); await this.load(); });
  }

  togglePin(offer: string): Promise<boolean> {
    return this.pin(toggledPins(this.known.value?.show.pins ?? [], offer));
  }

  next(): Promise<boolean> {
    const known = this.known.value;
    const step = known ? nextStep(known) : { kind: "none" as const };
    if (step.kind === "pins") return this.pin(step.pins);
    return this.doing(async () => {
      if (step.kind === "segment") await post(`/shows/${this.show}/rundown/next`);
      await this.load();
    });
  }

  addOffer(product: string, price: Money, quantity: number, limit: number | null): Promise<boolean> {
    const body = { product, price, quantity, ...(limit ? { per_buyer_limit: limit } : {}) };
    return this.doing(async () => { await post<Offer>(`/shows/${this.show}/offers`, body); await this.load(); });
  }

  changeOffer(offer: string, change: { price?: Money; add_quantity?: number }): Promise<boolean> {
    return this.doing(async () => { await patch(`/shows/${this.show}/offers/${offer}`, change); await this.load(); });
  }

  /** Who gets pieces that come free: the next in line, or whoever pays first. */
  serve(waitlist: "line" | "first_paid"): Promise<boolean> {
    return this.doing(async () => { await patch(`/shows/${this.show}`, { waitlist }); await this.load(); });
  }

  correctStock(product: string, delta: number, reason: string): Promise<boolean> {
    const shop = encodeURIComponent(this.known.value?.show.shop ?? "");
    return this.doing(async () => { await post(`/shops/${shop}/stock`, { product, delta, reason }); await this.loadProducts(); });
  }

  announce(offer: string, price: Money, countdownS: number, durationS: number, quantity: number | null): Promise<boolean> {
    const body = { offer, price, countdown_s: countdownS, duration_s: durationS, ...(quantity ? { quantity } : {}) };
    return this.doing(async () => { await post(`/shows/${this.show}/deals`, body); await this.load(); });
  }

  plan(segments: Segment[]): Promise<boolean> {
    return this.doing(async () => { await put(`/shows/${this.show}/rundown`, { segments }); await this.load(); });
  }

  removeLine(id: string): Promise<boolean> {
    return this.doing(() => remove(`/shows/${this.show}/chat/${id}`));
  }

  caption(text: string): Promise<boolean> {
    return this.doing(() => post(`/shows/${this.show}/captions`, { text, lang: language.value }));
  }

  answer(text: string): Promise<boolean> {
    return this.doing(() => post(`/shows/${this.show}/chat`, { text }));
  }

  private pin(offers: string[]): Promise<boolean> {
    return this.doing(async () => { await put(`/shows/${this.show}/pins`, { offers }); await this.load(); });
  }

  private async sendPicture(takeover: boolean): Promise<void> {
    const whip = this.known.value?.show.whip;
    if (whip) await this.whip.send(whip, this.camera.opened(), takeover);
  }

  private async loadProducts(): Promise<void> {
    const shop = this.known.value?.show.shop;
    if (!shop) return;
    const listed = await get<Listed<Product>>(`/products?shop=${encodeURIComponent(shop)}&limit=200`).catch(() => null);
    this.products.value = listed?.items ?? [];
  }

  private join(): void {
    if (this.joined) return;
    this.joined = true;
    void this.hub.join();
  }

  private hear(event: HubEvent): void {
    if (this.known.value) this.known.value = applied(this.known.value, event);
  }

  /** Whether it went well; if not, `refusal` says why. */
  private async doing(act: () => Promise<unknown>): Promise<boolean> {
    this.busy.value = true;
    this.refusal.value = null;
    try {
      await act();
      return true;
    } catch (error) {
      this.refusal.value = error;
      return false;
    } finally {
      this.busy.value = false;
    }
  }
}

/** A studio that answers at all is one that a picture can be sent to; what it says to a bare look does not matter. */
async function answers(whip: string): Promise<boolean> {
  return fetch(whip, { method: "OPTIONS" }).then((response) => response.status < 500, () => false);
}
