/** The big preview: guides, ON AIR frame, audio meter, devices, and the state of the upload. */
import { CameraOff } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Notice, Said } from "../lib/pieces";
import { sorryFor } from "../lib/sorry";
import { say as sayAll, sayState } from "../lib/words";
import { HEARD_LEVEL } from "./camera";
import type { Studio } from "./ctrl";
import { say } from "./words";

export const guides = signal(false);

const METER_BARS = 24;

export function PreviewPane({ studio }: { studio: Studio }) {
  const video = useRef<HTMLVideoElement>(null);
  const stream = studio.camera.stream.value;
  useEffect(() => { if (video.current) video.current.srcObject = stream; }, [stream]);
  const state = studio.known.value?.show.state ?? "draft";
  return (
    <section class="preview" data-on-air={state === "live" ? "" : undefined} aria-label={say("preview")}>
      <video ref={video} autoPlay muted playsInline aria-label={say("preview")} />
      {guides.value && <div class="preview-guides" aria-hidden="true"><i /><b /></div>}
      <div class="preview-top">
        {state === "live" ? <span class="on-air">{sayAll("onAir")}</span> : <span class="chip preview-chip">{sayState("show", state)}</span>}
        <Upload studio={studio} />
      </div>
      {!stream && (
        <Said title={say("noCamera")} action={<button type="button" class="button" onClick={() => void studio.useDevices(null, null)}><CameraOff size={16} aria-hidden="true" />{say("askAgain")}</button>}>{say("noCameraText")}</Said>
      )}
      <Meter studio={studio} />
    </section>
  );
}

function Upload({ studio }: { studio: Studio }) {
  const state = studio.whip.state.value;
  const figures = studio.whip.figures.value;
  if (state === "connecting") return <span class="chip preview-chip">{say("connecting")}</span>;
  if (state === "broken") return <span class="chip chip-wait">{say("failed")}</span>;
  if (state !== "sending" || !figures) return null;
  const word = { good: "qualityGood", fair: "qualityFair", poor: "qualityPoor" } as const;
  const tone = { good: "chip-calm", fair: "chip-wait", poor: "chip-fault" }[figures.verdict];
  const details = [say("rtt", { n: figures.rttMs }), say("loss", { n: figures.lossPercent }), figures.limited ? say("limited", { why: figures.limited }) : ""];
  return <span class={`chip ${tone}`} title={details.filter(Boolean).join(" · ")} data-testid="upload-quality">{say(word[figures.verdict])} · {say("kbps", { n: figures.kbps })} · {say("fps", { n: figures.fps })}</span>;
}

/** Decibel steps: a linear bar would sit at the left for any speaking voice. */
function Meter({ studio }: { studio: Studio }) {
  const level = studio.camera.level.value;
  const lit = Math.round(Math.max(0, 1 + (20 * Math.log10(Math.max(level, 1e-6))) / 60) * METER_BARS);
  return (
    <div class="meter" role="meter" aria-label={say("level")} aria-valuemin={0} aria-valuemax={METER_BARS} aria-valuenow={lit} data-heard={level > HEARD_LEVEL ? "" : undefined}>
      {Array.from({ length: METER_BARS }, (_, index) => <i key={index} data-lit={index < lit ? "" : undefined} data-high={index > METER_BARS - 4 ? "" : undefined} />)}
    </div>
  );
}

export function Devices({ studio }: { studio: Studio }) {
  const { camera } = studio;
  const choose = (kind: "video" | "audio") => (event: Event): void => {
    const id = (event.currentTarget as HTMLSelectElement).value;
    void studio.useDevices(kind === "video" ? id : camera.chosen("video") || null, kind === "audio" ? id : camera.chosen("audio") || null);
  };
  const list = (devices: MediaDeviceInfo[], label: string, kind: "video" | "audio") => (
    <label class="field device">
      <span>{label}</span>
      <select onChange={choose(kind)} disabled={devices.length === 0}>
        {devices.map((device, index) => <option key={device.deviceId} value={device.deviceId} selected={device.deviceId === camera.chosen(kind)}>{device.label || `${label} ${index + 1}`}</option>)}
      </select>
    </label>
  );
  return <div class="devices">{list(camera.cameras.value, say("camera"), "video")}{list(camera.microphones.value, say("microphone"), "audio")}</div>;
}

export function UploadTrouble({ studio }: { studio: Studio }) {
  const state = studio.whip.state.value;
  if (state === "taken") {
    return <Notice tone="wait" title={say("takeover")}><button type="button" class="button button-small" onClick={() => void studio.goLive(true)}>{say("takeoverGo")}</button></Notice>;
  }
  if (state === "refused") return <Notice tone="fault" title={say("failed")}><p class="small">{sorryFor(studio.whip.refusal.value)}</p></Notice>;
  return null;
}
