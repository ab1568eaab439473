/**
 * The picture with the least delay: each fragment's sample goes to a decoder as it comes, and from there to the screen
 * through a MediaStreamTrackGenerator, so that it is still a video element: full screen, picture in picture, one place.
 * Sound has its own way and its own small buffer (sound.ts): up to a tenth of a second behind lips, which nobody notices.
 */
import { AUDIO, VIDEO, type Engine, type Figures, type Heard } from "../engine";
import type { Fragment, InitFrame } from "../wire";
import { sampleOf, videoConfig } from "./boxes";
import { Pace } from "./pace";
import { Sound } from "./sound";

/** Two seconds of pictures that wait for the decoder: it cannot keep up, so the next key frame is where we go on. */
const MOST_WAITING = 60;
/** While so many wait, what comes out of the decoder is the past. */
const CATCHING_UP = 3;
const FAULTS_TO_GIVE_UP = 3;
const FAULTS_WITHIN_MS = 30_000;
const STALL_MS = 400;

declare global {
  class MediaStreamTrackGenerator extends MediaStreamTrack {
    constructor(init: { kind: "video" });
    readonly writable: WritableStream<VideoFrame>;
  }
}

export class Direct implements Engine {
  private readonly track = new MediaStreamTrackGenerator({ kind: "video" });
  private readonly screen = this.track.writable.getWriter();
  private readonly sounding: Sound;
  private decoder: VideoDecoder | null = null;
  private pace = new Pace();
  private waiting: { frame: VideoFrame; timer: ReturnType<typeof setTimeout> }[] = [];
  private video: InitFrame | null = null;
  private wantsKey = true;
  private shownUs: number | null = null;
  private newestUs = 0;
  private shownAtMs = 0;
  private stalls = 0;
  private skips = 0;
  private dropped = 0;
  private faults: number[] = [];
  private over = false;

  constructor(private readonly element: HTMLVideoElement, private readonly heard: Heard, withSound: boolean) {
    this.sounding = new Sound(withSound);
    element.srcObject = new MediaStream([this.track]);
    element.playbackRate = 1;
    heard.play();
  }

  destroy(): void {
    this.over = true;
    this.heard.leaving();
    this.letGo();
    this.sounding.destroy();
    this.track.stop();
    this.element.srcObject = null;
  }

  init(init: InitFrame): void {
    if (init.track === AUDIO) this.sounding.init(init);
    if (init.track !== VIDEO) return;
    this.video = init;
    this.pace = new Pace();
    this.open();
  }

  media(fragments: readonly Fragment[]): void {
    this.sounding.media(fragments.filter(({ track }) => track === AUDIO));
    if (document.hidden) this.wantsKey = true; // nobody looks: coming back begins with the last key frame (awake)
    else for (const fragment of fragments) if (fragment.track === VIDEO) this.decode(fragment);
  }

  awake(group: readonly Fragment[]): void {
    this.wantsKey = true;
    for (const fragment of group) if (fragment.track === VIDEO) this.decode(fragment);
  }

  sound(on: boolean): void {
    if (on) this.sounding.begin();
    else this.sounding.end();
  }

  mediaTime(): number | null {
    return this.shownUs === null ? null : this.shownUs / 1e6;
  }

  figures(): Figures {
    return {
      bufferMs: this.shownUs === null ? 0 : Math.max(0, Math.round((this.newestUs - this.shownUs) / 1000)),
      targetMs: Math.round(this.pace.evenMs()), jitterMs: Math.round(this.pace.jitterMs()), rate: 1,
      stalls: this.stalls, seeks: this.skips, dropped: this.dropped,
    };
  }

  private open(): void {
    this.letGo();
    const config = this.video && videoConfig(this.video);
    if (!config) {
      this.heard.failed();
      return;
    }
    const decoder = new VideoDecoder({ output: (frame) => this.decoded(decoder, frame), error: () => this.faulty(decoder) });
    this.decoder = decoder;
    this.wantsKey = true;
    try {
      decoder.configure(config);
    } catch {
      this.heard.failed();
    }
  }

  private decode(fragment: Fragment): void {
    const { decoder } = this;
    if (!decoder || decoder.state !== "configured" || fragment.generation !== this.video?.generation) return;
    if (this.wantsKey && !fragment.key) return;
    if (decoder.decodeQueueSize > MOST_WAITING && !fragment.key) {
      this.skips += 1;
      this.open();
      return;
    }
    this.wantsKey = false;
    this.newestUs = fragment.timeUs;
    decoder.decode(new EncodedVideoChunk({ type: fragment.key ? "key" : "delta", timestamp: fragment.timeUs, data: sampleOf(fragment.data) as BufferSource }));
  }

  private decoded(decoder: VideoDecoder, frame: VideoFrame): void {
    if (decoder !== this.decoder || decoder.decodeQueueSize >= CATCHING_UP || frame.timestamp <= (this.shownUs ?? -1)) {
      frame.close();
      return;
    }
    const waitMs = this.pace.waitMs(frame.timestamp / 1000, performance.now());
    if (waitMs < 1) this.show(frame);
    else this.waiting.push({ frame, timer: setTimeout(() => this.show(frame), waitMs) });
  }

  /** What waited longer than a later one is not shown any more. */
  private show(frame: VideoFrame): void {
    const passed = this.waiting.filter((one) => one.frame.timestamp <= frame.timestamp);
    this.waiting = this.waiting.filter((one) => one.frame.timestamp > frame.timestamp);
    for (const one of passed) {
      clearTimeout(one.timer);
      if (one.frame !== frame) { one.frame.close(); this.dropped += 1; }
    }
    const nowMs = performance.now();
    if (this.shownUs === null) this.heard.playing(true);
    else if (nowMs - this.shownAtMs > STALL_MS && !document.hidden) this.stalls += 1;
    [this.shownUs, this.shownAtMs] = [frame.timestamp, nowMs];
    void this.screen.write(frame).catch(() => frame.close());
  }

  /** A picture it cannot decode ends a decoder: another one goes on at the next key frame, but not for ever. */
  private faulty(decoder: VideoDecoder): void {
    if (decoder !== this.decoder || this.over) return;
    const nowMs = performance.now();
    this.faults = [...this.faults.filter((atMs) => nowMs - atMs < FAULTS_WITHIN_MS), nowMs];
    if (this.faults.length >= FAULTS_TO_GIVE_UP || this.shownUs === null) this.heard.failed();
    else this.open();
  }

  private letGo(): void {
    for (const { frame, timer } of this.waiting) { clearTimeout(timer); frame.close(); }
    this.waiting = [];
    const { decoder } = this;
    this.decoder = null;
    if (decoder && decoder.state !== "closed") decoder.close();
  }
}
