/** Camera and microphone: which devices, the stream they give, how loud it is. */
import { signal } from "@preact/signals";

const LEVEL_MS = 100;
/** Below this the microphone is taken for dead: a quiet room still gives about 0.005. */
export const HEARD_LEVEL = 0.01;

export class Camera {
  readonly stream = signal<MediaStream | null>(null);
  readonly cameras = signal<MediaDeviceInfo[]>([]);
  readonly microphones = signal<MediaDeviceInfo[]>([]);
  readonly level = signal(0);
  readonly loudest = signal(0);
  readonly failure = signal<unknown>(null);
  private audio: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Asks for the devices; null means the browser's choice. The old stream is let go of only when the new one is here. */
  async open(camera: string | null = null, microphone: string | null = null): Promise<void> {
    this.failure.value = null;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...(camera ? { deviceId: { exact: camera } } : {}) },
        audio: { echoCancellation: false, noiseSuppression: true, ...(microphone ? { deviceId: { exact: microphone } } : {}) },
      });
      this.stream.value?.getTracks().forEach((track) => track.stop());
      this.stream.value = stream;
      this.listen(stream);
      await this.list();
    } catch (error) {
      this.failure.value = error;
    }
  }

  chosen(kind: "video" | "audio"): string {
    return this.stream.value?.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId ?? "";
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

export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}
