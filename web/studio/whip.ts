/** Keeps the picture going out: by UDP, else by WebSocket, again and again while the host wants it. */
import { signal } from "@preact/signals-core";
import { Refused } from "../lib/refused";
import { retryMs } from "./pace";
import { PeerWay } from "./peer";
import type { UploadFigures } from "./quality";
import { canSendBySocket, SocketWay } from "./socket";
import type { Target, Way, WayState } from "./way";

const STATS_MS = 2000;
const PATIENCE_MS = 1500;
/** UDP that has not come up in this time will not. */
const UP_WITHIN_MS = 5000;
const OURS_TRIES = 4;

/** There is nothing to send. */
export class NoCamera extends Error {}

export type WhipState = "idle" | "connecting" | "sending" | "broken" | "taken" | "refused";

export class Whip {
  readonly state = signal<WhipState>("idle");
  readonly figures = signal<UploadFigures | null>(null);
  readonly refusal = signal<unknown>(null);
  private way: Way | null = null;
  private wanted: { target: Target; stream: MediaStream } | null = null;
  private noUdp = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    setInterval(() => void this.measure(), STATS_MS);
    addEventListener("pagehide", () => void this.way?.close(true));
    addEventListener("online", () => { if (this.state.value === "broken") void this.mend(); });
  }

  /** The camera may still be opening: the host may have to allow it first. Throws NoCamera when there is none. */
  async send(target: Target, camera: Promise<MediaStream | null>, takeover = false): Promise<void> {
    this.drop();
    this.noUdp = false;
    this.attempt = 0;
    this.state.value = "connecting";
    this.refusal.value = null;
    const stream = await camera;
    if (this.state.value !== "connecting") return; // stopped meanwhile
    if (!stream) {
      await this.stop();
      throw new NoCamera();
    }
    this.wanted = { target, stream };
    await this.connect(takeover);
  }

  /** Another camera or microphone goes on the same session; the first one of its kind needs a new one. */
  async replace(stream: MediaStream): Promise<void> {
    if (this.wanted) this.wanted.stream = stream;
    if (this.way && !(await this.way.replace(stream))) await this.begin();
  }

  async stop(): Promise<void> {
    this.wanted = null;
    this.state.value = "idle";
    this.drop();
  }

  private async connect(takeover: boolean): Promise<void> {
    const { wanted } = this;
    if (!wanted) return;
    const heard = (state: WayState): void => { if (way === this.way) this.hear(state); };
    const way: Way = this.noUdp ? new SocketWay(wanted.target, heard) : new PeerWay(wanted.target, heard);
    this.way = way;
    try {
      await way.open(wanted.stream, takeover);
      if (way === this.way && this.state.value !== "sending") this.after(UP_WITHIN_MS, () => void this.goOnBySocket());
    } catch (error) {
      if (way === this.way) this.failed(error);
    }
  }

  /** The studio has agreed, and yet nothing gets through: a network without UDP. */
  private async goOnBySocket(): Promise<void> {
    this.noUdp = this.noUdp || canSendBySocket();
    this.drop();
    await this.connect(true);
  }

  private hear(state: WayState): void {
    if (state === "up") {
      clearTimeout(this.timer);
      this.attempt = 0;
      this.state.value = "sending";
    } else if (state === "taken") {
      this.state.value = "taken";
      this.drop();
    } else if (this.state.value === "sending") {
      this.state.value = "broken";
      this.after(state === "shaky" ? PATIENCE_MS : 0, () => void this.mend());
    } else if (state === "down" && !this.noUdp) {
      this.after(0, () => void this.goOnBySocket());
    }
  }

  /** In the same session if it can be, else in a new one; never against another host who has the show by now. */
  private async mend(): Promise<void> {
    const { way } = this;
    if (!way || this.state.value !== "broken") return;
    try {
      const found = await way.revive();
      if (way !== this.way) return;
      if (found === "taken") this.hear("taken");
      else if (found === "mended") this.after(UP_WITHIN_MS, () => void this.begin());
      else await this.begin();
    } catch {
      this.again(() => void this.mend());
    }
  }

  private async begin(): Promise<void> {
    this.drop();
    await this.connect(false);
  }

  private failed(error: unknown): void {
    this.refusal.value = error;
    const status = error instanceof Refused ? error.status : 0;
    const conflict = error instanceof Refused && error.code === "conflict";
    const ours = this.state.value === "broken" && this.attempt < OURS_TRIES; // our own broken session is on air for 2 s yet
    if (conflict && !ours) this.state.value = "taken";
    else if (status >= 400 && status < 500 && !conflict) this.state.value = "refused";
    else {
      this.state.value = "broken";
      this.again(() => void this.begin());
    }
  }

  private again(act: () => void): void {
    this.after(retryMs(this.attempt), act);
    this.attempt += 1;
  }

  private after(ms: number, act: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, ms);
  }

  /** Nobody waits for the goodbye: on a dead line it takes minutes. */
  private drop(): void {
    clearTimeout(this.timer);
    void this.way?.close(false);
    this.way = null;
    this.figures.value = null;
  }

  private async measure(): Promise<void> {
    if (this.way && this.state.value === "sending") this.figures.value = await this.way.figures(this.figures.value);
  }
}
