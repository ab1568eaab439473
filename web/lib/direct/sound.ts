/** The sound of the direct way: Opus to a decoder, samples to the loudspeaker's jar, as much in stock as its arrivals need. */
import { Arrivals } from "../arrivals";
import type { Fragment, InitFrame } from "../wire";
import { audioConfig, sampleOf } from "./boxes";
import loudspeaker from "./loudspeaker?worker&url";

/** A packet of 20 ms, and what the jar gives at a time. */
const SPARE_S = 0.04;
const LONGEST_S = 0.3;
const AIM_EVERY = 50; // packets: a second

export class Sound {
  private context: AudioContext | null = null;
  private jar: AudioWorkletNode | null = null;
  private decoder: AudioDecoder | null = null;
  private opus: InitFrame | null = null;
  private readonly arrivals = new Arrivals();
  private packets = 0;
  private dryS = 0; // what running dry has taught

  constructor(wanted: boolean) {
    if (wanted) this.begin();
  }

  init(init: InitFrame): void {
    this.opus = init;
    if (this.jar) this.open();
  }

  /** Called by a press of the viewer's: then a browser lets it sound. */
  begin(): void {
    if (this.context) return;
    const context = new AudioContext({ latencyHint: "interactive", sampleRate: 48_000 });
    this.context = context;
    void context.resume();
    void context.audioWorklet.addModule(loudspeaker).then(() => { if (context === this.context) this.connect(context); });
  }

  end(): void {
    this.close();
    void this.context?.close();
    this.context = null;
    this.jar = null;
  }

  destroy(): void {
    this.end();
  }

  media(fragments: readonly Fragment[]): void {
    const nowMs = performance.now();
    for (const { timeUs, generation, data } of fragments) {
      if (generation !== this.opus?.generation) continue;
      this.arrivals.came(timeUs / 1000, nowMs);
      if (this.decoder?.state === "configured") {
        this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: timeUs, data: sampleOf(data) as BufferSource }));
      }
      this.packets += 1;
      if (this.packets % AIM_EVERY === 0) this.aim();
    }
  }

  private connect(context: AudioContext): void {
    const jar = new AudioWorkletNode(context, "loudspeaker", { outputChannelCount: [2] });
    let dry = 0;
    jar.port.onmessage = ({ data }: MessageEvent<number>) => {
      if (data > dry) this.dryS = Math.min(LONGEST_S, this.dryS + 0.02);
      dry = data;
    };
    jar.connect(context.destination);
    this.jar = jar;
    this.open();
  }

  private open(): void {
    this.close();
    const config = this.opus && audioConfig(this.opus);
    if (!config) return;
    this.decoder = new AudioDecoder({ output: (heard) => this.decoded(heard), error: () => { this.decoder = null; } });
    this.decoder.configure(config);
    this.aim();
  }

  private decoded(heard: AudioData): void {
    const channels = Array.from({ length: heard.numberOfChannels }, (_, planeIndex) => {
      const samples = new Float32Array(heard.numberOfFrames);
      heard.copyTo(samples, { planeIndex, format: "f32-planar" });
      return samples;
    });
    heard.close();
    this.jar?.port.postMessage(channels, channels.map(({ buffer }) => buffer));
  }

  private aim(): void {
    const neededS = (this.arrivals.lateMs(0.98) ?? 0) / 1000 + SPARE_S + this.dryS;
    this.jar?.port.postMessage(Math.min(LONGEST_S, neededS));
  }

  private close(): void {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
  }
}
