/** The way out by WebRTC: one WHIP session (RFC 9725) with H.264 and Opus. */
import { refusedFrom, Refused } from "../lib/refused";
import { MAX_BITRATE } from "./pace";
import { figuresFrom, type Sample, type UploadFigures } from "./quality";
import { fragmentOf, iceServers, restartedAnswer } from "./sdp";
import type { Target, Way, WayState } from "./way";

const GATHER_MS = 1500;
const ASK_MS = 8000;
const FRAGMENT = "application/trickle-ice-sdpfrag";

export class PeerWay implements Way {
  private peer: RTCPeerConnection | null = null;
  private session: string | null = null;
  private before: Sample | null = null;

  constructor(private readonly target: Target, private readonly heard: (state: WayState) => void) {}

  async open(stream: MediaStream, takeover: boolean): Promise<void> {
    const servers = await fetch(this.target.url, { method: "OPTIONS", headers: this.bearer(), signal: AbortSignal.timeout(ASK_MS) });
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: iceServers(servers.headers.get("Link")) });
    this.peer = peer;
    for (const kind of ["audio", "video"] as const) for (const track of stream.getTracks()) if (track.kind === kind) addTrack(peer, track, stream);
    peer.onconnectionstatechange = () => { if (peer === this.peer) this.changed(peer.connectionState); };
    await peer.setLocalDescription();
    await gathered(peer);
    const answer = await this.ask(takeover ? `${this.target.url}?takeover=1` : this.target.url, "POST", peer.localDescription?.sdp ?? "", "application/sdp");
    const location = answer.headers.get("Location");
    this.session = location ? new URL(location, answer.url).href : null;
    const sdp = await answer.text();
    if (peer === this.peer) await peer.setRemoteDescription({ type: "answer", sdp });
    else await this.close(false);
  }

  async replace(stream: MediaStream): Promise<boolean> {
    const senders = this.peer?.getTransceivers() ?? [];
    if (stream.getTracks().some(({ kind }) => !senders.some(({ receiver }) => receiver.track.kind === kind))) return false;
    await Promise.all(senders.map(({ sender, receiver }) => sender.replaceTrack(stream.getTracks().find(({ kind }) => kind === receiver.track.kind) ?? null)));
    return true;
  }

  async revive(): Promise<"mended" | "over" | "taken"> {
    const { peer, session } = this;
    if (!peer || !session || peer.connectionState === "closed" || peer.signalingState !== "stable" || !peer.currentRemoteDescription) return this.asked();
    const before = peer.currentRemoteDescription.sdp;
    peer.restartIce();
    await peer.setLocalDescription();
    await gathered(peer);
    const answer = await this.ask(session, "PATCH", fragmentOf(peer.localDescription?.sdp ?? ""), FRAGMENT, { "If-Match": "*" }).catch((error: unknown) => error);
    if (!(answer instanceof Response) || peer !== this.peer) {
      await peer.setLocalDescription({ type: "rollback" });
      if (answer instanceof Refused) return answer.code === "superseded" ? "taken" : "over";
      if (answer instanceof Response) return "over";
      throw answer; // no line at all: the session may still be there when there is one
    }
    await peer.setRemoteDescription({ type: "answer", sdp: restartedAnswer(before, await answer.text()) });
    return "mended";
  }

  /** A closed connection cannot be mended, only asked after. */
  private async asked(): Promise<"over" | "taken"> {
    const answer = await this.ask(this.session ?? this.target.url, "PATCH", "a=end-of-candidates\r\n", FRAGMENT, { "If-Match": "*" }).catch((error: unknown) => error);
    if (answer instanceof Refused && answer.code === "superseded") return "taken";
    if (answer instanceof Refused || answer instanceof Response) return "over";
    throw answer;
  }

  async close(leaving: boolean): Promise<void> {
    const { session } = this;
    this.peer?.close();
    this.peer = null;
    this.session = null;
    if (session) await fetch(session, { method: "DELETE", keepalive: leaving, headers: this.bearer() }).catch(() => undefined);
  }

  async figures(earlier: UploadFigures | null): Promise<UploadFigures | null> {
    if (!this.peer) return null;
    const sample: Sample = { atMs: performance.now(), reports: [...(await this.peer.getStats()).values()] as Sample["reports"] };
    const figures = figuresFrom(this.before, sample, earlier);
    this.before = sample;
    return figures;
  }

  private changed(state: RTCPeerConnectionState): void {
    if (state === "connected") this.heard("up");
    if (state === "disconnected") this.heard("shaky");
    if (state === "failed" || state === "closed") this.heard("down");
  }

  private async ask(url: string, method: string, body: string, type: string, more: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(url, { method, body, headers: { "Content-Type": type, ...this.bearer(), ...more }, signal: AbortSignal.timeout(ASK_MS) });
    if (!response.ok) throw refusedFrom(response.status, await response.text(), response.headers.get("Retry-After"));
    return response;
  }

  private bearer(): Record<string, string> {
    return { Authorization: `Bearer ${this.target.token}` };
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
