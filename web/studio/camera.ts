/** Camera and microphone: which devices, the stream they give, how loud it is. */
import { signal } from "@preact/signals-core";

const LEVEL_MS = 100;
/** Below this the microphone is taken for dead: a quiet room still gives about 0.005. */
export const HEARD_LEVEL = 0.01;

export type Kind = "video" | "audio";

export class Camera {
  readonly stream = signal<MediaStream | null>(null);
  readonly cameras = signal<MediaDeviceInfo[]>([]);
  readonly microphones = signal<MediaDeviceInfo[]>([]);
  readonly level = signal(0);
  readonly loudest = signal(0);
  readonly failure = signal<unknown>(null);
  /** What the host has turned off: it stays off with another device. */
  readonly off = signal<Record<Kind, boolean>>({ video: false, audio: false });
  private opening: Promise<void> = Promise.resolve();
  private audio: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Asks for the devices; null means the browser's choice. */
  open(camera: string | null = null, microphone: string | null = null): Promise<void> {
    this.opening = this.ask(camera, microphone);
    return this.opening;
  }

  /** The stream, once the browser and the host have said whether there is one; null: there is none. */
  async opened(): Promise<MediaStream | null> {
    await this.opening;
    return this.stream.value;
  }

  /** The old stream is let go of only when the new one is here. */
  private async ask(camera: string | null, microphone: string | null): Promise<void> {
    this.failure.value = null;
    try {
      const stream = await devices(
        { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...(camera ? { deviceId: { exact: camera } } : {}) },
        { echoCancellation: false, noiseSuppression: true, ...(microphone ? { deviceId: { exact: microphone } } : {}) },
      );
      this.stream.value?.getTracks().forEach((track) => track.stop());
      this.stream.value = stream;
      this.enable();
      if (stream.getAudioTracks().length > 0) this.listen(stream);
      await this.list();
    } catch (error) {
      this.failure.value = error;
    }
  }

  toggle(kind: Kind): void {
    this.off.value = { ...this.off.value, [kind]: !this.off.value[kind] };
    this.enable();
  }

  has(kind: Kind): boolean {
    return this.stream.value?.getTracks().some((track) => track.kind === kind) ?? false;
  }

  chosen(kind: Kind): string {
    return this.stream.value?.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId ?? "";
  }

  private enable(): void {
    for (const track of this.stream.value?.getTracks() ?? []) track.enabled = !this.off.value[track.kind as Kind];
  }

  private async list(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    this.cameras.value = devices.filter((device) => device.kind === "videoinput");
    this.microphones.value = devices.filter((device) => device.kind === "audioinput");
  }

  private listen(stream: MediaStream): void {
    clearInterval(this.timer);
    void this.audio?.close();
    this.audio = new AudioContext();
    const analyser = this.audio.createAnalyser();
    analyser.fftSize = 1024;
    this.audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.level.value = rms(samples);
      this.loudest.value = Math.max(this.loudest.value, this.level.value);
    }, LEVEL_MS);
  }
}

/** Both, or what there is: a host without a camera is heard, one without a microphone is seen. */
async function devices(video: MediaTrackConstraints, audio: MediaTrackConstraints): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotFoundError") throw error;
    const found = await navigator.mediaDevices.enumerateDevices();
    if (found.some(({ kind }) => kind === "videoinput")) return navigator.mediaDevices.getUserMedia({ video });
    if (found.some(({ kind }) => kind === "audioinput")) return navigator.mediaDevices.getUserMedia({ audio });
    throw error;
  }
}

export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}
