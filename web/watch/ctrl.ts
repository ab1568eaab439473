/** The watch page's state: one show, its socket, its picture, at most one purchase. The views only render it. */
import { batch, computed, signal } from "@preact/signals-core";
import { get, post } from "../lib/api";
import { Arrivals } from "../lib/arrivals";
import type { Purchase, Wish } from "../lib/checkout/ctrl";
import type { Instead } from "../lib/checkout/sheet";
import { phaseOf } from "../lib/checkout/steps";
import { heardServerTime, serverNow } from "../lib/clock";
import { behindLiveMs, dueCues, waitsForPicture, type Cue, type Picture } from "../lib/cue";
import { VIDEO } from "../lib/engine";
import { HubSocket, type HubStatus } from "../lib/hub";
import { everyWhileSeen } from "../lib/loading";
import { priceNow, soldOut } from "../lib/offers";
import { canPlay, Player } from "../lib/player";
import { loadMe, me } from "../lib/session";
import type { HubEvent, Offer, Show, Sold, Ticket, Today } from "../lib/shapes";
import { askTicket } from "../lib/ticket";
import { toMs } from "../lib/time";
import { applied, isOnAir, isShow, knownFrom, offerOf, pinnedOffers, type Known } from "../lib/showstate";
import type { Fragment } from "../lib/wire";
import { Captioning, isCaption } from "./captions";
import { Hearts } from "./hearts";
import { isAboutLine, Places } from "./places";

const CUE_MS = 100;
const LOOK_MS = 5000;
const WELCOME_WITHIN_MS = 400;
const REPORT_MS = 10_000;
/** The chip says tenths of a second; less than that would only flicker. */
const CHIP_STEADY_MS = 50;
/** So often in a row it was not the hub's bad moment: something between lets no WebSocket through. */
const JOINS_UNTIL_PLAYLIST = 3;

export class Watching {
  readonly known = signal<Known | null>(null);
  readonly failure = signal<unknown>(null);
  readonly status = signal<HubStatus>("joining");
  readonly online = signal(navigator.onLine);
  readonly behindMs = signal<number | null>(null);
  readonly hearts = new Hearts();
  readonly chosen = signal<string | null>(new URLSearchParams(location.search).get("offer"));
  readonly purchase = signal<Purchase | null>(null);
  readonly sheetOpen = signal(false);
  readonly places = new Places();
  readonly lifted = signal(false);
  /** Made before there is a page to show it on: what arrives meanwhile is being decoded already. */
  readonly video = pictureOnly(document.createElement("video"));
  readonly captions = new Captioning(this.video);
  readonly player = canPlay() ? new Player(this.video) : null;

  /** What the card shows: the viewer's own pick, else what the host holds up. */
  readonly card = computed<{ offer: Offer; picked: boolean } | null>(() => {
    const known = this.known.value;
    if (!known) return null;
    const picked = offerOf(known, this.chosen.value);
    if (picked) return { offer: picked, picked: true };
    const pinned = pinnedOffers(known)[0];
    return pinned ? { offer: pinned, picked: false } : null;
  });

  private showing!: () => void;
  /** Settled with the first picture on screen, or as soon as it is clear that none comes. */
  readonly shown = new Promise<void>((settle) => { this.showing = settle; });
  private readonly arrivals = new Arrivals();
  private cues: Cue[] = [];
  private broadcastEpochMs: number | null = null;
  private readonly hub: HubSocket;
  private joined = false;
  private missed = 0; // joins in a row without a picture

  /** `ticket`: asked for already. */
  constructor(readonly show: string, ticket: Promise<Ticket>) {
    let first: Promise<Ticket> | null = ticket;
    this.hub = new HubSocket({
      show, media: true,
      ticket: () => {
        const asked = first ?? askTicket(show);
        first = null;
        return asked;
      },
      listener: {
        event: (event) => this.hear(event),
        status: (status) => this.stands(status),
        init: (init) => { this.arrivals.forget(); this.player?.init(init); },
        media: (fragments) => { this.missed = 0; this.player?.media(fragments); this.came(fragments); },
      },
    });
  }

  /** The hub's welcome brings all there is to know, and the picture with it. Only when none comes is the show asked for. */
  start(): void {
    this.join();
    onFirstPicture(this.video, () => this.showing());
    setTimeout(() => { if (!this.known.value) void this.load(); }, WELCOME_WITHIN_MS);
    setInterval(() => this.onCue(), CUE_MS);
    if (this.player?.way.peek() === "hls") void this.load(); // its address is not in the welcome
    everyWhileSeen(LOOK_MS, () => { if (this.joined) this.perhapsByPlaylist(); else void this.load(); });
    setInterval(() => this.report(), REPORT_MS);
    addEventListener("offline", () => { this.online.value = false; });
    addEventListener("online", () => { this.online.value = true; this.hub.hurry(); });
  }

  async load(): Promise<void> {
    try {
      const show = await get<Show>(`/shows/${this.show}`);
      this.failure.value = null;
      this.learn(show);
      this.perhapsByPlaylist();
      if (isOnAir(show.state)) this.join();
      else this.leave();
    } catch (error) {
      if (!this.known.value) this.failure.value = error;
    }
  }

  join(): void {
    if (this.joined) return;
    this.joined = true;
    void this.hub.join();
  }

  private came(fragments: readonly Fragment[]): void {
    const newest = fragments.findLast(({ track }) => track === VIDEO);
    if (newest) this.arrivals.came(newest.timeUs / 1000, performance.now());
  }

  private stands(status: HubStatus): void {
    this.status.value = status;
    if (status !== "joining" && status !== "joined") this.showing();
    if (status === "waiting" || status === "crowded") this.missed += 1;
    this.perhapsByPlaylist();
    const nothingComes = status === "bye" || status === "ended" || status === "refused";
    if (nothingComes && !this.known.value) void this.load();
  }

  /** Without the hub there is no picture by fragments; its playlist comes by plain HTTP. */
  private perhapsByPlaylist(): void {
    const show = this.known.value?.show;
    const wanted = this.missed >= JOINS_UNTIL_PLAYLIST || this.player?.way.value === "hls";
    if (wanted && show?.state === "live" && show.hls) this.player?.list({ url: show.hls, epochMs: () => this.epochMs() });
  }

  private leave(): void {
    this.joined = false;
    this.hub.leave();
  }

  /** Once the hub has welcomed us its word is newer than any answer that was on its way. */
  private learn(show: Show): void {
    const known = this.known.value;
    const welcomed = known && this.status.value === "joined";
    this.known.value = welcomed ? { ...known, show: { ...show, ...known.show } } : knownFrom(show, known ?? undefined);
  }

  rejoin(): void {
    this.joined = false;
    void this.load();
  }

  /** Buying always starts with the price on screen; the server says when it is another one by now. */
  async buy(offer: Offer, quantity: number): Promise<void> {
    const known = this.known.value;
    if (!known) return;
    const { price } = priceNow(offer, known.show.deal, serverNow());
    await this.begin({ shelf: `/shows/${this.show}`, offer: offer.id, title: offer.title, image: offer.image, quantity, price }, offer.id);
  }

  /** After the show: from the shop's shelf, at what it costs there now. */
  async buyToday(sold: Sold, today: Today, quantity: number): Promise<void> {
    const { title, image } = sold;
    await this.begin({ shelf: `/shops/${today.shop}`, offer: today.offer, title, image, quantity, price: today.price }, sold.id);
  }

  private async begin(wish: Wish, remembered: string): Promise<void> {
    if (me.value === undefined) await loadMe();
    this.purchase.value?.close();
    const purchase = new (await import("../lib/checkout/ctrl")).Purchase(wish);
    batch(() => { this.purchase.value = purchase; this.sheetOpen.value = true; });
    if (me.value) await purchase.reserve();
    else this.rememberOffer(remembered);
  }

  /** The next best thing to an offer that is gone: what else is on air, else whatever is still there. */
  insteadOf(offer: string): Instead | null {
    const known = this.known.value;
    const other = known && [...pinnedOffers(known), ...known.show.offers].find((each) => each.id !== offer && !soldOut(each));
    if (!other) return null;
    return { title: other.title, show: () => batch(() => { this.closeSheet(); this.chosen.value = other.id; }) };
  }

  /** Closing the sheet keeps a reservation; what is over is forgotten. */
  closeSheet(): void {
    this.sheetOpen.value = false;
    const order = this.purchase.value?.order.value;
    const keep = order && (phaseOf(order.state) === "open" || phaseOf(order.state) === "waiting");
    if (!keep) {
      this.purchase.value?.close();
      this.purchase.value = null;
    }
  }

  async react(): Promise<void> {
    await this.hearts.send(() => post(`/shows/${this.show}/reactions`, { kind: "heart" }));
  }

  private rememberOffer(offer: string): void {
    history.replaceState(null, "", `?offer=${encodeURIComponent(offer)}`);
  }

  private hear(event: HubEvent): void {
    const at = toMs(event.at);
    if (at !== null) heardServerTime(at);
    if (event.type === "resync") this.places.lookAgain();
    this.learnEpoch(event);
    if (event.type === "reaction") this.hearts.heard(Number(event.count ?? 1));
    else if (isAboutLine(event)) this.places.heard(event);
    else if (waitsForPicture(event)) this.cues.push({ event, arrivedMs: performance.now() });
    else this.apply(event);
  }

  private learnEpoch(event: HubEvent): void {
    if (typeof event.broadcast_epoch === "number") this.broadcastEpochMs = event.broadcast_epoch;
  }

  private picture(): Picture {
    return { timeS: this.player?.mediaTime() ?? null, epochMs: this.epochMs() };
  }

  /** Until the hub says when the broadcast began, the show's start is the same moment. */
  private epochMs(): number | null {
    return this.broadcastEpochMs ?? toMs(this.known.value?.show.started_at);
  }

  private apply(event: HubEvent): void {
    if (isCaption(event)) {
      this.captions.heard(event);
      return;
    }
    const known = this.known.value;
    if (known) this.known.value = applied(known, event);
    else if (isShow(event.show)) this.first(event.show);
    if (event.type === "order") this.purchase.value?.heard(String(event.id), Number(event.version));
    if (event.type === "show" && event.state === "ended") this.joined = false;
  }

  /** Whatever has failed before: here it is. */
  private first(show: Show): void {
    if (show.state !== "live") this.showing();
    batch(() => { this.known.value = knownFrom(show); this.failure.value = null; });
  }

  private onCue(): void {
    const picture = this.picture();
    const { due, wait } = dueCues(this.cues, picture, performance.now());
    this.cues = wait;
    batch(() => due.forEach((event) => this.apply(event)));
    const next = this.behindNowMs();
    if (next === null) return; // a jump hides the picture for a moment, not what was known
    if (this.behindMs.value === null || Math.abs(next - this.behindMs.value) > CHIP_STEADY_MS) this.behindMs.value = next;
  }

  /**
   * Against the studio, by its clock; and never less than against the quickest picture of this line, since a sender's
   * clock may run some tens of ms ahead (FRAGMENTS.md).
   */
  behindNowMs(): number | null {
    const picture = this.picture();
    const quickest = this.arrivals.quickestMs();
    const bounds = [behindLiveMs(picture, serverNow()), picture.timeS === null || quickest === null ? null : performance.now() - quickest - picture.timeS * 1000];
    const known = bounds.filter((bound) => bound !== null);
    return known.length === 0 ? null : Math.max(0, ...known);
  }

  /** The hub that serves this viewer, as an operator knows it. */
  hubHost(): string {
    return this.hub.host;
  }

  private report(): void {
    const figures = this.player?.figures();
    if (figures) this.hub.report({ behind_ms: Math.round(this.behindMs.value ?? 0), buffer_ms: figures.bufferMs, stalls: figures.stalls, seeks: figures.seeks, dropped: figures.dropped });
  }
}

function onFirstPicture(video: HTMLVideoElement, act: () => void): void {
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(act);
  else (video as HTMLVideoElement).addEventListener("playing", act, { once: true });
}

function pictureOnly(video: HTMLVideoElement): HTMLVideoElement {
  video.className = "picture-video";
  video.dataset.testid = "player";
  video.playsInline = true;
  return video;
}
