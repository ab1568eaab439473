/** /studio/{show}: a control room, not a form. */
import { Clapperboard, ExternalLink, Grid3x3, Pause, Play, Radio, Square, X } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { tickingNow } from "../lib/clock";
import { lasting } from "../lib/format";
import { toMs } from "../lib/time";
import { Empty, Failed, Loading, Notice } from "../lib/pieces";
import { me, signInAddress } from "../lib/session";
import type { Show } from "../lib/shapes";
import { Bar } from "../lib/shell";
import { isOnAir } from "../lib/showstate";
import { say as sayAll, sayState } from "../lib/words";
import { AirCard } from "./card";
import { Line, UploadChip, UploadTrouble } from "./connection";
import type { Studio } from "./ctrl";
import { askToEnd, EndDialog } from "./end";
import { Offers } from "./offers";
import { CaptionField, Checklist, Figures, StudioChat } from "./panels";
import { Devices, PreviewPane } from "./preview";
import { whyNot } from "./refusals";
import { Rundown } from "./rundown";
import { say } from "./words";

const guides = signal(false);

export function Room({ studio }: { studio: Studio }) {
  useShortcuts(studio);
  const known = studio.known.value;
  if (studio.failure.value !== null) return <Around><Failed error={studio.failure.value} retry={() => void studio.load()} /></Around>;
  if (!known || me.value === undefined) return <Around><Loading heights={["56px", "50vh", "96px"]} /></Around>;
  if (!me.value) return <Around><Empty icon={Clapperboard} title={say("title")}><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></Around>;
  if (!known.show.whip && known.show.state !== "ended") return <Around><Empty icon={Clapperboard} title={say("notYours")}><p>{say("notHostText")}</p></Empty></Around>;
  const over = known.show.state === "ended";
  return (
    <Around>
      <Desk studio={studio} show={known.show} />
      <UploadTrouble studio={studio} />
      {over ? <Over studio={studio} /> : <Live studio={studio} onAir={isOnAir(known.show.state)} />}
      <Refusal studio={studio} />
      <EndDialog studio={studio} />
    </Around>
  );
}

function Live({ studio, onAir }: { studio: Studio; onAir: boolean }) {
  return (
    <div class="room">
      <div class="room-left">{!onAir && <Checklist studio={studio} />}<Rundown studio={studio} /></div>
      <div class="room-main">
        <PreviewPane studio={studio} guides={guides.value} />
        {onAir && <CaptionField studio={studio} />}
        <Figures studio={studio} />
        <Devices studio={studio} />
        <Line studio={studio} />
      </div>
      <div class="room-right"><AirCard studio={studio} /><Offers studio={studio} /><StudioChat studio={studio} /></div>
    </div>
  );
}

function Over({ studio }: { studio: Studio }) {
  return (
    <div class="room-over">
      <Notice tone="calm" title={say("endedTitle")}><p class="small">{say("endedText")}</p><a class="button button-small" href="/studio">{say("backToShows")}</a></Notice>
      <Figures studio={studio} />
      <StudioChat studio={studio} />
    </div>
  );
}

function Around({ children }: { children: preact.ComponentChildren }) {
  return <div class="stage studio"><Bar here="/studio" /><main id="content">{children}</main></div>;
}

/** The strip on top: which show, how it stands, and the few switches that matter. */
function Desk({ studio, show }: { studio: Studio; show: Show }) {
  return (
    <header class="desk">
      <div class="desk-title"><h1>{show.title}</h1><span class="row"><AirState show={show} /><UploadChip studio={studio} /></span></div>
      {show.state !== "ended" && <Switches studio={studio} show={show} />}
    </header>
  );
}

function AirState({ show }: { show: Show }) {
  const since = toMs(show.started_at);
  if (show.state !== "live" || since === null) return <span class={show.state === "paused" ? "chip chip-wait" : "chip"}>{sayState("show", show.state)}</span>;
  return <span class="small figures">{say("onAirFor", { time: lasting(tickingNow() - since) })}</span>;
}

function Switches({ studio, show }: { studio: Studio; show: Show }) {
  const onAir = isOnAir(show.state);
  const sending = ["sending", "connecting", "broken"].includes(studio.whip.state.value);
  return (
    <div class="controls">
      <button type="button" class="button button-small" aria-pressed={guides.value} title={say("guidesHint")} onClick={() => { guides.value = !guides.value; }}><Grid3x3 size={16} aria-hidden="true" />{say("guides")}<kbd>G</kbd></button>
      <a class="button button-small" href={`/watch/${show.id}`} target="_blank" rel="noopener"><ExternalLink size={16} aria-hidden="true" />{say("watchPage")}</a>
      {onAir && (
        <button type="button" class="button button-small" title={say("pauseHint")} disabled={studio.busy.value} onClick={() => void studio.pauseOrResume()}>
          {show.state === "paused" ? <Play size={16} aria-hidden="true" /> : <Pause size={16} aria-hidden="true" />}{say(show.state === "paused" ? "resume" : "pause")}<kbd>P</kbd>
        </button>
      )}
      {onAir && <button type="button" class="button button-small" data-testid="end-show" onClick={askToEnd}><Square size={14} aria-hidden="true" />{say("end")}</button>}
      {!(onAir && sending) && (
        <button type="button" class="button button-spend go-live" data-testid="go-live" disabled={studio.busy.value} onClick={() => void studio.goLive()}>
          <Radio size={20} aria-hidden="true" />{say(studio.busy.value ? "starting" : onAir ? "sendPicture" : "goLive")}
        </button>
      )}
    </div>
  );
}

/** What the server said no to stays in sight wherever the host has scrolled to. */
function Refusal({ studio }: { studio: Studio }) {
  const error = studio.refusal.value;
  if (error === null) return null;
  return (
    <div class="refusal">
      <Notice tone="fault"><p>{whyNot(error)}</p></Notice>
      <button type="button" class="button button-icon button-plain" aria-label={sayAll("close")} onClick={() => { studio.refusal.value = null; }}><X size={18} aria-hidden="true" /></button>
    </div>
  );
}

function useShortcuts(studio: Studio): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const elsewhere = (event.target as HTMLElement).closest("input, select, textarea, dialog");
      if (!elsewhere && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat) shortcut(studio, event.key.toLowerCase());
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [studio]);
}

function shortcut(studio: Studio, key: string): void {
  const state = studio.known.value?.show.state;
  if (key === "n") void studio.next();
  if (key === "p" && isOnAir(state)) void studio.pauseOrResume();
  if (key === "g") guides.value = !guides.value;
  if (key === "escape") studio.refusal.value = null;
  const offer = /^[1-9]$/.test(key) ? studio.known.value?.show.offers[Number(key) - 1] : undefined;
  if (offer) void studio.togglePin(offer.id);
}
