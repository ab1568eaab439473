/** The line to the studio: whether the picture goes out, how well, and what to do when it does not. */
import { count, decimal } from "../lib/format";
import { Notice } from "../lib/pieces";
import { sorryFor } from "../lib/sorry";
import type { Studio } from "./ctrl";
import type { Show } from "../lib/shapes";
import type { UploadFigures } from "./quality";
import { say } from "./words";

type Live = NonNullable<Show["live"]>;

const LIMITED_SHOWN_MS = 10_000;
const WORD = { good: "qualityGood", fair: "qualityFair", poor: "qualityPoor" } as const;
const TONE = { good: "chip-calm", fair: "chip-wait", poor: "chip-fault" } as const;

export function UploadChip({ studio }: { studio: Studio }) {
  const state = studio.whip.state.value;
  const figures = studio.whip.figures.value;
  if (state === "connecting") return <span class="chip chip-wait">{say("connecting")}</span>;
  if (state === "broken") return <span class="chip chip-fault">{say("failed")}</span>;
  if (state !== "sending" || !figures) return null;
  return <span class={`chip ${TONE[figures.verdict]}`} data-testid="upload-quality">{say("quality")}: {say(WORD[figures.verdict])}</span>;
}

export function Line({ studio }: { studio: Studio }) {
  const figures = studio.whip.figures.value;
  const live = studio.known.value?.show.live;
  return (
    <section class="panel line" aria-label={say("quality")}>
      <h2>{say("quality")}</h2>
      {figures ? <dl class="line-figures">{rows(figures, live).map(({ label, hint, value, testid }) => <div key={label} title={hint}><dt>{label}</dt><dd class="figures" data-testid={testid}>{value}</dd></div>)}</dl> : <p class="small muted">{say("qualityNone")}</p>}
      {figures?.limited && figures.limitedMs >= LIMITED_SHOWN_MS && <Notice tone="wait"><p class="small">{say(figures.limited === "cpu" ? "limitedCpu" : "limitedBandwidth")}</p></Notice>}
      {live?.warnings && <Notice tone="wait"><p class="small" data-testid="studio-warning">{warningText(live.warnings)}</p></Notice>}
    </section>
  );
}

interface Row { label: string; hint: string; value: string; testid?: string }

function rows(figures: UploadFigures, live: Live | undefined): Row[] {
  const room = figures.roomKbps > 0 ? ` / ${count(figures.roomKbps)}` : "";
  return [
    { label: say("lineRate"), hint: say("lineRateHint"), value: `${count(figures.kbps)}${room} kbit/s` },
    { label: say("linePictures"), hint: say("linePicturesHint"), value: `${figures.height > 0 ? `${figures.height}p · ` : ""}${count(figures.fps)}/s` },
    { label: say("lineKeys"), hint: say("lineKeysHint"), value: live && live.key_interval_ms > 0 ? `${decimal(live.key_interval_ms / 1000)} s` : "–" },
    { label: say("lineLoss"), hint: say("lineLossHint"), value: `${count(figures.lossPercent)} %` },
    { label: say("lineRtt"), hint: say("lineRttHint"), value: `${count(figures.rttMs)} ms` },
    { label: say("lineWay"), hint: say("lineWayHint"), value: figures.way ?? "–", testid: "upload-way" },
  ];
}

/** The one warning the server has is about key frames; another one is shown in its own words. */
function warningText(warning: string): string {
  const seconds = /^Key frames are (\d+) s apart/.exec(warning)?.[1];
  return seconds ? say("keyFrames", { n: Number(seconds) }) : warning;
}

export function UploadTrouble({ studio }: { studio: Studio }) {
  const state = studio.whip.state.value;
  if (state === "taken") {
    return <Notice tone="wait" title={say("takeover")}><button type="button" class="button button-small" onClick={() => void studio.goLive(true)}>{say("takeoverGo")}</button></Notice>;
  }
  if (state === "refused") return <Notice tone="fault" title={say("failed")}><p class="small">{sorryFor(studio.whip.refusal.value)}</p></Notice>;
  return null;
}
