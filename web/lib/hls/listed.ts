/**
 * The picture from a playlist: where no hub can be reached (a proxy that lets no WebSocket through), by hls.js; where the
 * browser has no MediaSource (older iPhones), by its own player. A second or two later than live, and never nothing.
 */
import Hls from "hls.js/light";
import type { Engine, Figures, Heard, Playlist } from "../engine";

const BEHIND_MOST_S = 6;

export class Listed implements Engine {
  private readonly hls: Hls | null;
  private stalls = 0;
  private seeks = 0;

  constructor(private readonly video: HTMLVideoElement, private readonly heard: Heard, private readonly playlist: Playlist) {
    video.addEventListener("playing", this.started);
    video.addEventListener("waiting", this.stalled);
    this.hls = Hls.isSupported() ? this.fetching() : null;
    if (!this.hls) {
      video.addEventListener("error", this.broken);
      video.src = playlist.url;
    }
    heard.play();
  }

  destroy(): void {
    this.heard.leaving();
    this.video.removeEventListener("playing", this.started);
    this.video.removeEventListener("waiting", this.stalled);
    this.video.removeEventListener("error", this.broken);
    this.hls?.destroy();
    this.video.removeAttribute("src");
    this.video.load();
  }

  init(): void {
    // Fragments of the hub's are another way's.
  }

  media(): void {
    // See init.
  }

  /** The playlist says when each segment was made: less the broadcast's beginning that is media time. */
  mediaTime(): number | null {
    const epochMs = this.playlist.epochMs();
    const atMs = this.hls ? this.hls.playingDate?.getTime() : this.nativeDateMs();
    return atMs === undefined || epochMs === null ? null : (atMs - epochMs) / 1000;
  }

  figures(): Figures {
    const { buffered, currentTime } = this.video;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : currentTime;
    return {
      bufferMs: Math.max(0, Math.round((end - currentTime) * 1000)), targetMs: Math.round((this.hls?.targetLatency ?? 0) * 1000),
      jitterMs: 0, rate: this.video.playbackRate, stalls: this.stalls, seeks: this.seeks,
      dropped: this.video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0,
    };
  }

  /** A tab that was asleep goes on near the end, not where it stood. */
  awake(): void {
    const end = this.video.seekable.length > 0 ? this.video.seekable.end(this.video.seekable.length - 1) : 0;
    if (end - this.video.currentTime > BEHIND_MOST_S) {
      this.seeks += 1;
      this.video.currentTime = end - 1;
    }
  }

  sound(): void {
    // The element's own switch is enough.
  }

  private fetching(): Hls {
    const hls = new Hls({ enableWorker: false, lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1, backBufferLength: 12 }); // a worker of its own would be a blob: our CSP has none
    hls.on(Hls.Events.ERROR, (_, { fatal }) => { if (fatal) this.heard.failed(); });
    hls.loadSource(this.playlist.url);
    hls.attachMedia(this.video);
    return hls;
  }

  private nativeDateMs(): number | undefined {
    const began = (this.video as { getStartDate?: () => Date }).getStartDate?.().getTime();
    return began === undefined || Number.isNaN(began) ? undefined : began + this.video.currentTime * 1000;
  }

  private readonly broken = (): void => this.heard.failed();

  private readonly started = (): void => this.heard.playing(true);

  private readonly stalled = (): void => { if (!this.video.seeking) this.stalls += 1; };
}
