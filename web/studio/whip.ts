/** The way in (WHIP, RFC 9725): offers H.264 and Opus, keeps the session alive, comes back when the line breaks. */
import { signal } from "@preact/signals";
import { refusedFrom, Refused } from "../lib/refused";
import { figuresFrom, type Sample, type UploadFigures } from "./quality";

const GATHER_MS = 1500;
const STATS_MS = 2000;
const PATIENCE_MS = 4000;
const MAX_BITRATE = 2_500_000;

export type WhipState = "idle" | "connecting" | "sending" | "broken" | "taken" | "refused";

export class Whip {
  readonly state = signal<WhipState>("idle");
  readonly figures = signal<UploadFigures | null>(null);
  readonly refusal = signal<unknown>(null);
  private peer: RTCPeerConnection | null = null;
  private session: string | null = null;
  private token = "";
  private before: Sample | null = null;
  private wanted: { url: string; stream: MediaStream } | null = null;

  constructor() {
    setInterval(() => void this.measure(), STATS_MS);
    addEventListener("pagehide", () => void this.hangUp(true));
  }

  async send(url: string, token: string, stream: MediaStream, takeover = false): Promise<void> {
    void this.hangUp();
    this.token = token;
    this.wanted = { url, stream };
    this.state.value = "connecting";
    this.refusal.value = null;
    try {
      await this.connect(takeover ? `${url}${url.includes("?") ? "&" : "?"}takeover=1` : url, stream);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Another camera or microphone goes on the same session. */
  async replace(stream: MediaStream): Promise<void> {
    if (this.wanted) this.wanted.stream = stream;
    const senders = this.peer?.getSenders() ?? [];
    await Promise.all(senders.map((sender) => sender.replaceTrack(stream.getTracks().find((track) => track.kind === sender.track?.kind) ?? null)));
  }

  async stop(): Promise<void> {
    this.wanted = null;
    this.state.value = "idle";
    this.figures.value = null;
    await this.hangUp();
  }

  private async connect(url: string, stream: MediaStream): Promise<void> {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.peer = peer;
    for (const track of stream.getTracks()) addTrack(peer, track, stream);
    peer.onconnectionstatechange = () => { if (peer === this.peer) this.changed(peer.connectionState); };
    await peer.setLocalDescription();
    await gathered(peer);
    const answer = await this.exchange(url, peer.localDescription?.sdp ?? "");
    if (peer === this.peer) await peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  private async exchange(url: string, offer: string): Promise<string> {
    const response = await fetch(url, {
      method: "POST", body: offer, headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${this.token}` },
    });
    const text = await response.text();
    if (!response.ok) throw refusedFrom(response.status, text, response.headers.get("Retry-After"));
    const location = response.headers.get("Location");
    this.session = location ? new URL(location, response.url).href : null;
    return text;
  }

  private changed(state: RTCPeerConnectionState): void {
    if (state === "connected") this.state.value = "sending";
    if (state === "failed" || state === "closed") this.comeBack();
    if (state === "disconnected") setTimeout(() => { if (this.peer?.connectionState === "disconnected") this.comeBack(); }, PATIENCE_MS);
  }

  /** Our own broken session still counts as a publisher for a while, so coming back is a takeover. */
  private comeBack(): void {
    const { wanted } = this;
    if (!wanted) return;
    this.state.value = "broken";
    setTimeout(() => { if (this.wanted === wanted) void this.send(wanted.url, this.token, wanted.stream, true); }, 1000);
  }

  private failed(error: unknown): void {
    this.refusal.value = error;
    if (error instanceof Refused && error.status === 409) this.state.value = "taken";
    else if (error instanceof Refused && error.status >= 400 && error.status < 500) this.state.value = "refused";
    else setTimeout(() => this.comeBack(), PATIENCE_MS);
    if (this.state.value === "connecting") this.state.value = "broken";
  }

  private async hangUp(leaving = false): Promise<void> {
    const { session } = this;
    this.peer?.close();
    this.peer = null;
    this.before = null;
    this.session = null;
    if (session) await fetch(session, { method: "DELETE", keepalive: leaving, headers: { Authorization: `Bearer ${this.token}` } }).catch(() => undefined);
  }

  private async measure(): Promise<void> {
    if (!this.peer || this.state.value !== "sending") return;
    const sample: Sample = { atMs: performance.now(), reports: [...(await this.peer.getStats()).values()] as Sample["reports"] };
    this.figures.value = figuresFrom(this.before, sample, this.figures.value);
    this.before = sample;
  }
}

export const canSendH264 = (): boolean => h264().length > 0;

function h264(): RTCRtpCodec[] {
  const codecs = typeof RTCRtpSender === "undefined" ? [] : (RTCRtpSender.getCapabilities("video")?.codecs ?? []);
  return codecs.filter((codec) => codec.mimeType.toLowerCase() === "video/h264");
}

function addTrack(peer: RTCPeerConnection, track: MediaStreamTrack, stream: MediaStream): void {
  const encodings = track.kind === "video" ? [{ maxBitrate: MAX_BITRATE }] : [];
  const transceiver = peer.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings: encodings });
  if (track.kind === "video" && h264().length > 0) transceiver.setCodecPreferences(h264());
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, GATHER_MS);
    const look = (): void => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      done();
    };
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
}
