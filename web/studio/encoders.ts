/** This page's own H.264 and Opus encoders: tracks in, encoded pictures and sounds with one clock out. */
import { MAX_BITRATE } from "./pace";

export interface Encoded { kind: "video" | "audio"; timeUs: number; data: Uint8Array }

interface Processor { readable: ReadableStream<VideoFrame | AudioData> }
declare global {
  interface Window { MediaStreamTrackProcessor?: new (given: { track: MediaStreamTrack }) => Processor }
}

const FRAMES_PER_S = 30;
const SOUND_BITRATE = 96_000;
const QUEUED_AT_MOST = 3;
const KEY_EVERY_MS = 2000;

/** Level 3.1 holds 720p at 30 a second, 4.0 holds 1080p. */
const codecFor = (width: number, height: number): string => (width * height > 1280 * 720 ? "avc1.420028" : "avc1.42001f");

export class Encoders {
  bitrate: number;
  height = 0;
  private readonly encoders = new Map<"video" | "audio", VideoEncoder | AudioEncoder>();
  private readonly readers = new Map<"video" | "audio", ReadableStreamDefaultReader<VideoFrame | AudioData>>();
  private keyWanted = true;
  private keyAtMs = 0;
  private skip = false;
  private size = "";

  constructor(private readonly out: (encoded: Encoded) => void, bitrate: number) {
    this.bitrate = bitrate;
  }

  /** Encodes these tracks from now on, in place of the ones before. */
  take(stream: MediaStream): void {
    for (const kind of ["video", "audio"] as const) {
      void this.readers.get(kind)?.cancel().catch(() => undefined);
      this.readers.delete(kind);
      const track = stream.getTracks().find((each) => each.kind === kind);
      if (track) void this.follow(kind, track).catch(() => undefined);
    }
    this.wantKey();
  }

  wantKey(): void {
    this.keyWanted = true;
  }

  pace(bitrate: number, skip: boolean): void {
    if (this.skip && !skip) this.wantKey(); // what was left out is not missed: the next picture starts anew
    this.skip = skip;
    if (bitrate === this.bitrate) return;
    this.bitrate = Math.min(bitrate, MAX_BITRATE);
    this.size = ""; // configured anew with the next picture
  }

  close(): void {
    for (const reader of this.readers.values()) void reader.cancel().catch(() => undefined);
    for (const encoder of this.encoders.values()) if (encoder.state !== "closed") encoder.close();
    this.readers.clear();
    this.encoders.clear();
  }

  private async follow(kind: "video" | "audio", track: MediaStreamTrack): Promise<void> {
    const Source = window.MediaStreamTrackProcessor;
    if (!Source) return;
    const reader = new Source({ track }).readable.getReader();
    this.readers.set(kind, reader);
    let shiftUs: number | null = null; // the two kinds count from different beginnings; both are put on this page's clock
    while (this.readers.get(kind) === reader) {
      const { value, done } = await reader.read();
      if (done || !value) return;
      shiftUs ??= performance.now() * 1000 - value.timestamp;
      if (kind === "video") this.encodePicture(value as VideoFrame, shiftUs);
      else this.encodeSound(value as AudioData, shiftUs);
      value.close();
    }
  }

  private encodePicture(frame: VideoFrame, shiftUs: number): void {
    const encoder = (this.encoders.get("video") ?? this.videoEncoder()) as VideoEncoder;
    const width = frame.codedWidth & ~1, height = frame.codedHeight & ~1;
    if (this.skip || encoder.encodeQueueSize > QUEUED_AT_MOST) return;
    if (this.size !== `${width}x${height}`) {
      this.size = `${width}x${height}`;
      this.height = height;
      encoder.configure({ codec: codecFor(width, height), width, height, bitrate: this.bitrate, framerate: FRAMES_PER_S, latencyMode: "realtime", avc: { format: "annexb" } });
      this.keyWanted = true;
    }
    const now = performance.now();
    const keyFrame = this.keyWanted || now - this.keyAtMs > KEY_EVERY_MS;
    if (keyFrame) [this.keyWanted, this.keyAtMs] = [false, now];
    const shifted = new VideoFrame(frame, { timestamp: Math.round(frame.timestamp + shiftUs) });
    encoder.encode(shifted, { keyFrame });
    shifted.close();
  }

  private videoEncoder(): VideoEncoder {
    const encoder = new VideoEncoder({ output: (chunk) => this.out({ kind: "video", timeUs: chunk.timestamp, data: bytesOf(chunk) }), error: () => { this.encoders.delete("video"); this.size = ""; } });
    this.encoders.set("video", encoder);
    return encoder;
  }

  private encodeSound(sound: AudioData, shiftUs: number): void {
    let encoder = this.encoders.get("audio") as AudioEncoder | undefined;
    if (!encoder) {
      encoder = new AudioEncoder({ output: (chunk) => this.out({ kind: "audio", timeUs: chunk.timestamp + shiftUs, data: bytesOf(chunk) }), error: () => this.encoders.delete("audio") });
      encoder.configure({ codec: "opus", sampleRate: sound.sampleRate, numberOfChannels: sound.numberOfChannels, bitrate: SOUND_BITRATE });
      this.encoders.set("audio", encoder);
    }
    encoder.encode(sound);
  }
}

function bytesOf(chunk: EncodedVideoChunk | EncodedAudioChunk): Uint8Array {
  const bytes = new Uint8Array(chunk.byteLength);
  chunk.copyTo(bytes);
  return bytes;
}
