/**
 * The player: one video element, the way its picture is made, and the last group of pictures, so that another way can
 * begin at once. Which way: what the viewer has chosen, and what this browser and this line allow.
 */
import { signal, type Signal } from "@preact/signals-core";
import { AUDIO, VIDEO, type Engine, type Figures, type Heard, type Playlist, type Way } from "./engine";
import { Buffered, hasMediaSource } from "./mse";
import { keptWay, keepWay } from "./preference";
import type { Fragment, InitFrame } from "./wire";

const RATE_OVER_MS = 3000;
/** A publisher who sends no key frame for that long gets no group kept: the next way waits for one, as a joiner does. */
const MOST_KEPT = 2000;

export interface AllFigures extends Figures { way: Way; codec: string; kbps: number; size: string }

const HLS_TYPE = "application/vnd.apple.mpegurl";

const playsHls = (): boolean => document.createElement("video").canPlayType(HLS_TYPE) !== "";

export const canPlay = (): boolean => hasMediaSource() || playsHls();

/** The decoders, and the track that turns what they give into a picture of a video element: Chromium's kind only. */
export const canPlayDirect = (): boolean => typeof VideoDecoder !== "undefined" && typeof MediaStreamTrackGenerator !== "undefined";

export class Player {
  readonly playing = signal(false);
  readonly muted = signal(true);
  readonly aspect = signal(16 / 9);
  readonly way: Signal<Way>;
  /** The browser wants a press before anything plays, even without sound. */
  readonly blocked = signal(false);
  /** The lowest delay was wanted and did not work. */
  readonly gaveUp = signal(false);
  /** This browser has no decoder for the stream, whichever way. */
  readonly unplayable = signal(false);
  /** The last picture, while there is no other. */
  readonly still = stillOf(document.createElement("canvas"));
  readonly hasStill = signal(false);
  private engine: Engine | null = null;
  private turn = 0; // of choosing a way: what was loaded for an earlier choice comes too late
  private inits = new Map<number, InitFrame>();
  private group: Fragment[] = [];
  private playlist: Playlist | null = null;
  private weighed: { atMs: number; bytes: number }[] = [];

  constructor(private readonly video: HTMLVideoElement, way: Way = keptWay()) {
    video.muted = true;
    video.disableRemotePlayback = true;
    video.addEventListener("resize", this.resized);
    document.addEventListener("visibilitychange", this.seen);
    this.way = signal(way === "direct" && canPlayDirect() ? "direct" : "mse");
    if (hasMediaSource()) void this.go(this.way.peek());
    else this.way.value = "hls"; // as soon as someone says where
  }

  destroy(): void {
    this.turn += 1;
    document.removeEventListener("visibilitychange", this.seen);
    this.video.removeEventListener("resize", this.resized);
    this.engine?.destroy();
  }

  /** What the viewer chooses is kept for the next show. */
  choose(way: Way): void {
    keepWay(way);
    this.gaveUp.value = false;
    void this.go(way);
  }

  /** The show's playlist is taken when the hub cannot be reached, or when this browser plays nothing else. */
  list(playlist: Playlist): void {
    if (this.playlist) return;
    this.playlist = playlist;
    void this.go("hls");
  }

  init(init: InitFrame): void {
    this.inits.set(init.track, init);
    this.group = this.group.filter(({ track }) => track !== init.track);
    this.engine?.init(init);
  }

  media(fragments: readonly Fragment[]): void {
    for (const fragment of fragments) this.keep(fragment);
    this.weigh(fragments);
    if (this.way.value === "hls" && hasMediaSource()) this.backToHub();
    else this.engine?.media(fragments);
  }

  mediaTime(): number | null {
    return this.engine?.mediaTime() ?? null;
  }

  figures(): AllFigures | null {
    const figures = this.engine?.figures();
    if (!figures) return null;
    const codecs = [...this.inits.values()].map(({ mseType }) => /codecs="([^"]+)"/.exec(mseType)?.[1] ?? mseType);
    return { ...figures, way: this.way.value, codec: codecs.join(", "), kbps: this.kbps(), size: `${this.video.videoWidth} × ${this.video.videoHeight}` };
  }

  unmute(): void {
    this.video.muted = false;
    this.muted.value = false;
    this.listen(true);
    void this.play();
  }

  mute(): void {
    this.video.muted = true;
    this.muted.value = true;
    this.listen(false);
  }

  /** Also what the button does that a browser asks for. */
  async play(): Promise<void> {
    try {
      await this.video.play();
      this.blocked.value = false;
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      if (this.video.muted) this.blocked.value = true;
      else this.mute();
    }
  }

  private async go(way: Way): Promise<void> {
    this.unplayable.value = false;
    const turn = this.turn += 1;
    this.way.value = way;
    const make = await this.maker(way, this.heardBy(turn)).catch(() => null);
    if (turn !== this.turn) return;
    if (!make) {
      this.failed();
      return;
    }
    this.engine?.destroy();
    this.playing.value = false;
    this.engine = make();
    for (const init of this.inits.values()) this.engine.init(init);
    if (this.group.length > 0) this.engine.media(this.group);
  }

  /** What few need is fetched by those who do. */
  private async maker(way: Way, heard: Heard): Promise<() => Engine> {
    const { video, playlist } = this;
    if (way === "direct") {
      const { Direct } = await import("./direct/direct");
      return () => new Direct(video, heard, !this.muted.value);
    }
    if (way === "hls" && playlist) {
      const { Listed } = await import("./hls/listed");
      return () => new Listed(video, heard, playlist);
    }
    return () => new Buffered(video, heard, !this.muted.value);
  }

  private backToHub(): void {
    this.playlist = null;
    void this.go(keptWay() === "direct" && canPlayDirect() ? "direct" : "mse");
  }

  private heardBy(turn: number): Heard {
    const still = (act: () => void) => { if (turn === this.turn) act(); };
    return {
      playing: (yes) => still(() => this.isPlaying(yes)),
      play: () => still(() => void this.play()),
      leaving: () => this.keepStill(),
      failed: () => still(() => this.failed()),
    };
  }

  /** The buffered way is what is left; a playlist that failed may be tried again when the hub is missed again. */
  private failed(): void {
    this.gaveUp.value = this.way.value === "direct";
    this.unplayable.value = this.way.value === "mse";
    this.playlist = null;
    if (hasMediaSource() && !this.unplayable.value) void this.go("mse");
  }

  private isPlaying(yes: boolean): void {
    this.playing.value = yes;
    if (yes) this.hasStill.value = this.unplayable.value = false;
  }

  /** A buffer with sound is another buffer than one without; decoders of our own just begin to listen. */
  private listen(on: boolean): void {
    if (this.way.value === "mse" && this.inits.has(AUDIO)) void this.go("mse");
    else this.engine?.sound(on);
  }

  private keep(fragment: Fragment): void {
    const { track, generation } = this.inits.get(fragment.track) ?? {};
    if (track === undefined || generation !== fragment.generation) return;
    if (track === VIDEO && fragment.key) this.group = [];
    if (this.group.length >= MOST_KEPT) this.group = [];
    const hasKey = this.group.length > 0 || fragment.key || !this.inits.has(VIDEO);
    if (hasKey) this.group.push(fragment);
  }

  private weigh(fragments: readonly Fragment[]): void {
    const nowMs = performance.now();
    this.weighed.push({ atMs: nowMs, bytes: fragments.reduce((sum, { data }) => sum + data.length, 0) });
    while ((this.weighed[0] as { atMs: number }).atMs < nowMs - RATE_OVER_MS) this.weighed.shift();
  }

  private kbps(): number {
    const spanMs = performance.now() - (this.weighed[0]?.atMs ?? 0);
    return Math.round((this.weighed.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / Math.max(spanMs, 1));
  }

  private keepStill(): void {
    if (this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || this.video.videoWidth === 0) return;
    [this.still.width, this.still.height] = [this.video.videoWidth, this.video.videoHeight];
    this.still.getContext("2d")?.drawImage(this.video, 0, 0);
    this.hasStill.value = true;
  }

  private readonly seen = (): void => {
    if (!document.hidden) this.engine?.awake(this.group);
  };

  private readonly resized = (): void => {
    if (this.video.videoHeight > 0) this.aspect.value = this.video.videoWidth / this.video.videoHeight;
  };
}

function stillOf(canvas: HTMLCanvasElement): HTMLCanvasElement {
  canvas.className = "picture-video picture-still";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}
