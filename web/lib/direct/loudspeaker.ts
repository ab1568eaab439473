/** Runs where sound is made (AudioWorkletGlobalScope): pours what the page sends into what is heard next. */
import { Jar } from "./jar";

declare const sampleRate: number;
declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(name: string, made: typeof AudioWorkletProcessor): void;

const FIRST_TARGET_S = 0.06;
const TELL_EVERY = 100; // blocks of 128 frames: a quarter of a second

class Loudspeaker extends AudioWorkletProcessor {
  private readonly jar = new Jar(sampleRate, FIRST_TARGET_S);
  private blocks = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Float32Array[] | number>) => {
      if (typeof data === "number") this.jar.aim(data);
      else this.jar.fill(data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    this.jar.pour(outputs[0] ?? []);
    this.blocks += 1;
    if (this.blocks % TELL_EVERY === 0) this.port.postMessage(this.jar.dry);
    return true;
  }
}

registerProcessor("loudspeaker", Loudspeaker);
