/** The big preview: guides, ON AIR frame, audio meter, devices. */
import { CameraOff, Mic, MicOff, Video, VideoOff, type LucideIcon } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import { Said } from "../lib/pieces";
import { say as sayAll } from "../lib/words";
import { HEARD_LEVEL, type Camera, type Kind } from "./camera";
import type { Studio } from "./ctrl";
import { say } from "./words";

const METER_BARS = 32;
const LOUD_FROM = METER_BARS - 5;

export function PreviewPane({ studio, guides }: { studio: Studio; guides: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  const stream = studio.camera.stream.value;
  useEffect(() => { if (video.current) video.current.srcObject = stream; }, [stream]);
  const state = studio.known.value?.show.state ?? "draft";
  return (
    <section class="preview" data-on-air={state === "live" ? "" : undefined} aria-label={say("preview")}>
      <video ref={video} autoPlay muted playsInline aria-label={say("preview")} />
      {guides && <div class="preview-guides" aria-hidden="true"><i /><b /><u /></div>}
      {state === "live" && <span class="on-air preview-state">{sayAll("onAir")}</span>}
      {!stream && (
        <Said title={say("noCamera")} action={<button type="button" class="button" onClick={() => void studio.useDevices(null, null)}><CameraOff size={16} aria-hidden="true" />{say("askAgain")}</button>}>{say("noCameraText")}</Said>
      )}
      {stream && <Meter studio={studio} />}
    </section>
  );
}

/** Decibel steps: a linear bar would sit at the left for any speaking voice. */
function Meter({ studio }: { studio: Studio }) {
  const level = studio.camera.level.value;
  const lit = Math.round(Math.max(0, 1 + (20 * Math.log10(Math.max(level, 1e-6))) / 60) * METER_BARS);
  return (
    <div class="meter" role="meter" aria-label={say("level")} aria-valuemin={0} aria-valuemax={METER_BARS} aria-valuenow={lit} data-heard={level > HEARD_LEVEL ? "" : undefined}>
      {Array.from({ length: METER_BARS }, (_, index) => <i key={index} data-lit={index < lit ? "" : undefined} data-high={index >= LOUD_FROM ? "" : undefined} />)}
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
  return (
    <div class="devices">
      {list(camera.cameras.value, say("camera"), "video")}
      {list(camera.microphones.value, say("microphone"), "audio")}
      <div class="row device-switches">
        <Switch camera={camera} kind="video" on={Video} off={VideoOff} label={say("cameraOff")} />
        <Switch camera={camera} kind="audio" on={Mic} off={MicOff} label={say("mute")} />
      </div>
    </div>
  );
}

function Switch({ camera, kind, on: On, off: Off, label }: { camera: Camera; kind: Kind; on: LucideIcon; off: LucideIcon; label: string }) {
  const off = camera.off.value[kind];
  const Icon = off ? Off : On;
  return (
    <button type="button" class="button button-small" data-testid={`off-${kind}`} aria-pressed={off} disabled={!camera.has(kind)} onClick={() => camera.toggle(kind)}>
      <Icon size={16} aria-hidden="true" />{label}
    </button>
  );
}
