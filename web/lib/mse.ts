/** The picture by Media Source buffers fed with the hub's fragments, kept close to live. Decisions are in playout.ts. */
import { Arrivals } from "./arrivals";
import { AUDIO, VIDEO, type Engine, type Figures, type Heard } from "./engine";
import { afterLook, afterStall, atFirst, JITTER_SHARE, neededFor, nextMove, starving, type Patience, type Range } from "./playout";
import type { Fragment, InitFrame } from "./wire";

const TEND_MS = 100;
const KEEP_BEHIND_S = 12;
const FAULTS_TO_GIVE_UP = 3;

type Queued = InitFrame | Uint8Array;

interface Track {
  init: InitFrame;
  buffer: SourceBuffer | null;
  queue: Queued[];
  type: string;
  wantsKey: boolean;
}

declare global {
  interface Window { ManagedMediaSource?: typeof MediaSource }
}

export const hasMediaSource = (): boolean => mediaSourceClass() !== null;

function mediaSourceClass(): typeof MediaSource | null {
  if (typeof window === "undefined") return null;
  return window.ManagedMediaSource ?? window.MediaSource ?? null;
}

export class Buffered implements Engine {
  private playing = false;
  private source: MediaSource | null = null;
  private tracks = new Map<number, Track>();
  private patience: Patience = atFirst(performance.now());
  private stalls = 0;
  private readonly arrivals = new Arrivals();
  private waitsSince: number | null = null;
  private seeks = 0;
  private faults = 0; // in a row, without a picture in between
  private newestS = 0; // of what came before there was a buffer
  private readonly timer = setInterval(() => this.tend(), TEND_MS);

  /** Without sound only the picture is buffered: the sound's own buffer rules cost 100 ms and every stall (FRAGMENTS.md). */
  constructor(private readonly video: HTMLVideoElement, private readonly heard: Heard, private readonly withSound: boolean) {
    video.addEventListener("waiting", this.stalled);
    video.addEventListener("playing", this.started);
    this.begin();
  }

  destroy(): void {
    clearInterval(this.timer);
    this.video.removeEventListener("waiting", this.stalled);
    this.video.removeEventListener("playing", this.started);
    this.drop();
  }

  /** A codec change goes through the queue so that earlier pictures are shown first; a new track needs a new source. */
  init(init: InitFrame): void {
    if (init.track === AUDIO && !this.withSound && this.tracks.has(VIDEO)) return;
    const track = this.tracks.get(init.track);
    if (track) {
      if (track.init.generation !== init.generation) this.arrivals.forget();
      track.init = init;
      track.queue.push(init);
      track.wantsKey = init.track === VIDEO;
      this.feed(track);
      return;
    }
    if (this.attached) this.drop({ keep: this.tracks });
    this.tracks.set(init.track, { init, buffer: null, queue: [init], type: init.mseType, wantsKey: init.track === VIDEO });
  }

  media(fragments: readonly Fragment[]): void {
    const joining = [...this.tracks.values()].some(({ wantsKey }) => wantsKey);
    for (const fragment of fragments) {
      const track = this.tracks.get(fragment.track);
      if (!track || fragment.generation !== track.init.generation) continue;
      if (track.wantsKey && !fragment.key) continue;
      track.wantsKey = false;
      track.queue.push(fragment.data);
    }
    const first = fragments.find(({ track }) => track === VIDEO);
    if (first && !joining) this.arrivals.came(first.timeUs / 1000, performance.now()); // the group one joins with is no late one
    if (!this.source) this.begin();
    if (!this.attached) this.newestS = Math.max(this.newestS, ...fragments.map(({ timeUs }) => timeUs / 1e6));
    this.attach();
    for (const track of this.tracks.values()) this.feed(track);
  }

  /** Seconds of media time now shown, or null while there is no picture. */
  mediaTime(): number | null {
    return this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? this.video.currentTime : null;
  }

  figures(): Figures {
    const end = rangesOf(this.video.buffered).at(-1)?.[1];
    return {
      bufferMs: end === undefined ? 0 : Math.max(0, Math.round((end - this.video.currentTime) * 1000)),
      targetMs: Math.round(this.patience.target * 1000),
      jitterMs: Math.round(this.arrivals.lateMs(JITTER_SHARE) ?? 0),
      rate: this.video.playbackRate,
      stalls: this.stalls,
      seeks: this.seeks,
      dropped: this.video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0,
    };
  }

  awake(): void {
    this.tend();
  }

  sound(): void {
    // The element's own switch is enough.
  }

  /** Opened before there is anything to play, because opening takes its time too. */
  private begin(): void {
    const Source = mediaSourceClass();
    if (!Source) return;
    const source = new Source();
    this.source = source;
    source.addEventListener("sourceopen", () => this.opened(source), { once: true });
    this.video.src = URL.createObjectURL(source);
    this.heard.play();
  }

  private opened(source: MediaSource): void {
    if (source !== this.source) return;
    URL.revokeObjectURL(this.video.src);
    if (!this.attached) source.duration = Infinity; // media may come between the opening and its event; then its init says so
    this.attach();
  }

  private get attached(): boolean {
    return [...this.tracks.values()].some(({ buffer }) => buffer !== null);
  }

  /** With the first fragment every init is here (PROTOCOL.md), and every buffer is added before a byte goes in: afterwards Chromium takes no further one. */
  private attach(): void {
    const { source } = this;
    const waiting = [...this.tracks.values()].some(({ queue }) => queue.at(-1) instanceof Uint8Array);
    if (source?.readyState !== "open" || this.attached || !waiting) return;
    if (!this.withSound && this.tracks.has(VIDEO)) this.tracks.delete(AUDIO);
    if (!this.supported()) return;
    this.startNearLive();
    for (const track of this.tracks.values()) {
      track.buffer = source.addSourceBuffer(track.init.mseType);
      track.type = track.init.mseType;
      track.buffer.addEventListener("updateend", () => { if (source === this.source) this.fed(track); });
    }
    for (const track of this.tracks.values()) this.feed(track);
  }

  /** Said before there is anything to play, so that the pipeline begins there instead of being sent there from 0. */
  private startNearLive(): void {
    if (this.video.readyState === HTMLMediaElement.HAVE_NOTHING) this.video.currentTime = Math.max(0, this.newestS - this.patience.target);
  }

  /** Sound that this browser cannot play is left out; without the picture there is nothing to show. */
  private supported(): boolean {
    const unknown = [...this.tracks].filter(([, { init }]) => !mediaSourceClass()?.isTypeSupported(init.mseType));
    for (const [number] of unknown) this.tracks.delete(number);
    const shown = this.tracks.size > 0 && !unknown.some(([number]) => number === VIDEO);
    if (!shown) this.heard.failed();
    return shown;
  }

  /** The first picture does not wait for the timer; later it is the timer's turn, or a burst would be jumped through in pieces. */
  private fed(track: Track): void {
    this.feed(track);
    if (!this.playing) this.tend();
  }

  private feed(track: Track): void {
    const { buffer } = track;
    if (!buffer || buffer.updating || track.queue.length === 0 || this.source?.readyState !== "open") return;
    const next = taken(track.queue);
    const [first] = next;
    if (first && !(first instanceof Uint8Array) && first.mseType !== track.type) {
      buffer.changeType(first.mseType);
      track.type = first.mseType;
    }
    try {
      buffer.appendBuffer(joined(next) as BufferSource);
    } catch (error) {
      this.appendFailed(track, next, error);
    }
  }

  private appendFailed(track: Track, next: Queued[], error: unknown): void {
    if (error instanceof DOMException && error.name === "QuotaExceededError" && track.buffer) {
      track.queue.unshift(...next);
      track.buffer.remove(0, Math.max(0.1, this.video.currentTime - 1));
    } else {
      this.again();
    }
  }

  /** What cannot be decoded begins anew, but not for ever: another init may bring what can. */
  private again(): void {
    this.faults += 1;
    if (this.faults < FAULTS_TO_GIVE_UP) {
      this.drop({ keep: this.tracks });
      return;
    }
    this.drop();
    this.heard.failed();
  }

  private tend(): void {
    if (this.video.error) this.again();
    if (!this.source) return;
    const ranges = rangesOf(this.video.buffered);
    const end = ranges.at(-1)?.[1];
    if (end !== undefined && this.playing) {
      this.patience = afterLook(this.patience, end - this.video.currentTime, neededFor(this.arrivals.lateMs(JITTER_SHARE)), performance.now());
    }
    const move = nextMove({
      time: this.video.currentTime, ranges, target: this.patience.target, rate: this.video.playbackRate,
      stuckMs: this.waitsSince === null || this.video.seeking ? 0 : performance.now() - this.waitsSince,
    });
    if (move.kind === "seek") {
      this.seeks += 1;
      if (this.waitsSince !== null) this.waitsSince = performance.now(); // another try only after as long again
      this.video.currentTime = move.to;
    } else if (move.kind === "rate") {
      this.video.playbackRate = move.rate;
    }
    if (this.video.paused && ranges.length > 0) this.heard.play();
    this.trim();
    if (starving({ video: this.endOf(VIDEO), audio: this.endOf(AUDIO) })) this.goOnWithout(AUDIO);
  }

  private trim(): void {
    const until = this.video.currentTime - KEEP_BEHIND_S;
    for (const { buffer } of this.tracks.values()) {
      if (!buffer || buffer.updating || buffer.buffered.length === 0) continue;
      if (buffer.buffered.start(0) < until - KEEP_BEHIND_S) buffer.remove(0, until);
    }
  }

  private goOnWithout(silent: number): void {
    const keep = new Map([...this.tracks].filter(([track]) => track !== silent));
    this.drop({ keep });
  }

  private endOf(number: number): number | null {
    const buffered = this.tracks.get(number)?.buffer?.buffered;
    return buffered && buffered.length > 0 ? buffered.end(buffered.length - 1) : null;
  }

  /** Let go of the source; the tracks kept start anew at their init and the next key frame. */
  private drop(options: { keep?: Map<number, Track> } = {}): void {
    this.heard.leaving();
    this.source = null;
    this.video.removeAttribute("src");
    this.video.load();
    this.playing = false;
    this.heard.playing(false);
    this.waitsSince = null;
    const kept = options.keep ?? new Map<number, Track>();
    this.tracks = new Map([...kept].map(([number, { init }]) => [
      number, { init, buffer: null, queue: [init], type: init.mseType, wantsKey: number === VIDEO },
    ]));
  }

  private readonly stalled = (): void => {
    if (!this.playing || this.video.seeking || document.hidden) return; // a jump waits too, and so does a tab asleep: neither is one
    this.stalls += 1;
    this.waitsSince = performance.now();
    this.patience = afterStall(this.patience, performance.now());
  };

  private readonly started = (): void => {
    this.playing = true;
    this.faults = 0;
    this.waitsSince = null;
    this.heard.playing(true);
  };
}

/** All that waits, up to the next init, as one append, since each waits for the one before; an init leads what it describes. */
function taken(queue: Queued[]): Queued[] {
  const next = queue.findIndex((each, at) => at > 0 && !(each instanceof Uint8Array));
  return queue.splice(0, next === -1 ? queue.length : next);
}

function joined(queued: Queued[]): Uint8Array {
  const parts = queued.map((each) => (each instanceof Uint8Array ? each : each.data));
  if (parts.length === 1) return parts[0] as Uint8Array;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
  return whole;
}

function rangesOf(buffered: TimeRanges): Range[] {
  return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)] as const);
}
