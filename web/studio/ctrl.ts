/** The control room's state: one show, its events, the camera, the way in. Every act goes over HTTP. */
import { signal } from "@preact/signals";
import { get, patch, post, put, remove } from "../lib/api";
import { serverNow, setServerTime } from "../lib/clock";
import { toMs } from "../lib/format";
import { HubSocket } from "../lib/hub";
import { everyWhileSeen } from "../lib/loading";
import type { HubEvent, Money, Offer, Product, Listed, Show, Ticket } from "../lib/shapes";
import { applied, isOnAir, knownFrom, type Known } from "../lib/showstate";
import { Camera } from "./camera";
import { nextStep, toggledPins } from "./plan";
import { Whip } from "./whip";

const LOOK_MS = 3000;
const SEGMENT_S = 300;

export class Studio {
  readonly known = signal<Known | null>(null);
  readonly failure = signal<unknown>(null);
  readonly refusal = signal<unknown>(null);
  readonly busy = signal(false);
  readonly products = signal<Product[]>([]);
  readonly segmentSince = signal<number | null>(null);
  readonly camera = new Camera();
  readonly whip = new Whip();
  private readonly hub: HubSocket;
  private joined = false;

  constructor(readonly show: string) {
    this.hub = new HubSocket({
      show, media: false,
      ticket: () => post<Ticket>(`/shows/${show}/ticket`),
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
    } catch (error) {
      if (!this.known.value) this.failure.value = error;
    }
  }

  /** On air first, then the picture: viewers of a show without one see a placeholder, never an error. */
  goLive(takeover = false): Promise<void> {
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

  end(): Promise<void> {
    return this.doing(async () => {
      await this.whip.stop();
      await post(`/shows/${this.show}/end`);
      await this.load();
    });
  }

  pauseOrResume(): Promise<void> {
    const verb = this.known.value?.show.state === "paused" ? "resume" : "pause";
    return this.doing(async () => { await post(`/shows/${this.show}/${verb}`); await this.load(); });
  }

  togglePin(offer: string): Promise<void> {
    return this.pin(toggledPins(this.known.value?.show.pins ?? [], offer));
  }

  next(): Promise<void> {
    const known = this.known.value;
    const step = known ? nextStep(known) : { kind: "none" as const };
    return this.doing(async () => {
      if (step.kind === "none") return;
      if (step.kind === "segment") await post(`/shows/${this.show}/rundown/next`);
      this.segmentSince.value = serverNow();
      if (step.pins.length > 0) await put(`/shows/${this.show}/pins`, { offers: step.pins });
      await this.load();
    });
  }

  addOffer(product: string, price: Money, quantity: number, limit: number | null): Promise<void> {
    const body = { product, price, quantity, ...(limit ? { per_buyer_limit: limit } : {}) };
    return this.doing(async () => { await post<Offer>(`/shows/${this.show}/offers`, body); await this.load(); });
  }

  changeOffer(offer: string, change: { price?: Money; add_quantity?: number }): Promise<void> {
    return this.doing(async () => { await patch(`/shows/${this.show}/offers/${offer}`, change); await this.load(); });
  }

  announce(offer: string, price: Money, countdownS: number, durationS: number): Promise<void> {
    const body = { offer, price, countdown_s: countdownS, duration_s: durationS };
    return this.doing(async () => { await post(`/shows/${this.show}/deals`, body); await this.load(); });
  }

  planFromOffers(): Promise<void> {
    const offers = this.known.value?.show.offers ?? [];
    const segments = offers.map((offer) => ({ title: offer.title.slice(0, 120), offers: [offer.id], planned_s: SEGMENT_S }));
    return this.doing(async () => { await put(`/shows/${this.show}/rundown`, { segments }); await this.load(); });
  }

  removeLine(id: string): Promise<void> {
    return this.doing(() => remove(`/shows/${this.show}/chat/${id}`));
  }

  answer(text: string): Promise<void> {
    return this.doing(() => post(`/shows/${this.show}/chat`, { text }));
  }

  private pin(offers: string[]): Promise<void> {
    return this.doing(async () => { await put(`/shows/${this.show}/pins`, { offers }); await this.load(); });
  }

  private async sendPicture(takeover: boolean): Promise<void> {
    const whip = this.known.value?.show.whip;
    const stream = this.camera.stream.value;
    if (whip && stream) await this.whip.send(whip.url, whip.token, stream, takeover);
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
    if (event.type === "welcome") setServerTime(toMs(event.at) ?? serverNow());
    if (event.type === "rundown") this.segmentSince.value = toMs(event.at);
    if (this.known.value) this.known.value = applied(this.known.value, event);
  }

  private async doing(act: () => Promise<unknown>): Promise<void> {
    this.busy.value = true;
    this.refusal.value = null;
    try {
      await act();
    } catch (error) {
      this.refusal.value = error;
    } finally {
      this.busy.value = false;
    }
  }
}
