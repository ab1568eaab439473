/** The way out where no UDP gets through: this page's own encoders (WebCodecs), and a WebSocket to the studio. */
import { Refused } from "../lib/refused";
import { Encoders, type Encoded } from "./encoders";
import { firstPace, nextPace } from "./pace";
import { verdictOf, type UploadFigures } from "./quality";
import type { Target, Way, WayState } from "./way";

const PACE_MS = 250;
const TAKEN = 4409;
const SILENT_MS = 5000;
const TRACK = { video: 1, audio: 2 } as const;

interface Told { type: "ready" | "key" | "got" | "refused"; time?: number; status?: number; code?: string; detail?: string }

export const canSendBySocket = (): boolean => "VideoEncoder" in window && "AudioEncoder" in window && "MediaStreamTrackProcessor" in window;

export class SocketWay implements Way {
  private socket: WebSocket | null = null;
  private encoders: Encoders | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private pace = firstPace(0);
  private sent = { bytes: 0, pictures: 0, atMs: 0 };
  private heardAtMs = 0;
  private rttMs = 0;
  private sound = false;

  constructor(private readonly target: Target, private readonly heard: (state: WayState) => void) {}

  async open(stream: MediaStream, takeover: boolean): Promise<void> {
    const socket = new WebSocket(`${this.target.url.replace(/^http/, "ws")}/socket`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.sound = stream.getAudioTracks().length > 0;
    await ready(socket, { type: "publish", token: this.target.token, takeover, sound: this.sound, picture: stream.getVideoTracks().length > 0 });
    if (socket !== this.socket) return;
    socket.onmessage = ({ data }) => this.told(JSON.parse(String(data)) as Told);
    socket.onclose = ({ code }) => { if (socket === this.socket) this.heard(code === TAKEN ? "taken" : "down"); };
    this.pace = firstPace(performance.now());
    this.heardAtMs = performance.now();
    this.sent = { bytes: 0, pictures: 0, atMs: performance.now() };
    this.encoders = new Encoders((encoded) => this.send(encoded), this.pace.bitrate);
    this.encoders.take(stream);
    this.timer = setInterval(() => this.keepPace(), PACE_MS);
    this.heard("up");
  }

  async replace(stream: MediaStream): Promise<boolean> {
    if (stream.getAudioTracks().length > 0 && !this.sound) return false;
    this.encoders?.take(stream);
    return true;
  }

  async revive(): Promise<"over"> {
    return "over";
  }

  async close(_leaving: boolean): Promise<void> {
    clearInterval(this.timer);
    this.encoders?.close();
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  async figures(earlier: UploadFigures | null): Promise<UploadFigures | null> {
    if (!this.encoders) return null;
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.sent.atMs) / 1000);
    const limited = this.pace.skip || this.encoders.bitrate < firstPace(0).bitrate ? "bandwidth" as const : null;
    const figures = {
      kbps: Math.round((this.sent.bytes * 8) / seconds / 1000), fps: Math.round(this.sent.pictures / seconds), height: this.encoders.height,
      lossPercent: 0, rttMs: this.rttMs, roomKbps: Math.round(this.pace.bitrate / 1000), limited,
      limitedMs: limited && limited === earlier?.limited ? earlier.limitedMs + Math.round(seconds * 1000) : 0, way: "WebSocket",
    };
    this.sent = { bytes: 0, pictures: 0, atMs: now };
    return { ...figures, verdict: verdictOf(figures) };
  }

  private told(message: Told): void {
    this.heardAtMs = performance.now();
    if (message.type === "key") this.encoders?.wantKey();
    if (message.type === "got") this.rttMs = Math.max(0, Math.round(performance.now() - (message.time ?? 0) / 1000));
  }

  private send({ kind, timeUs, data }: Encoded): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const message = new Uint8Array(9 + data.byteLength);
    const view = new DataView(message.buffer);
    view.setUint8(0, TRACK[kind]);
    view.setBigUint64(1, BigInt(Math.max(0, Math.round(timeUs))));
    message.set(data, 9);
    this.socket.send(message);
    this.sent.bytes += message.byteLength;
    if (kind === "video") this.sent.pictures += 1;
  }

  /** A line that is gone says nothing: TCP would go on trying for minutes. */
  private keepPace(): void {
    const now = performance.now();
    this.pace = nextPace(this.pace, this.socket?.bufferedAmount ?? 0, now);
    this.encoders?.pace(this.pace.bitrate, this.pace.skip);
    if (now - this.heardAtMs > SILENT_MS) {
      this.heardAtMs = now;
      this.heard("down");
    }
  }
}

function ready(socket: WebSocket, hello: object): Promise<void> {
  return new Promise((done, failed) => {
    socket.onopen = () => socket.send(JSON.stringify(hello));
    socket.onclose = () => failed(new TypeError("the socket was closed"));
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(String(data)) as Told;
      if (told.type === "ready") done();
      else if (told.type === "refused") failed(new Refused(told.status ?? 400, told.code ?? "invalid", told.detail ?? ""));
    };
  });
}
