/** /studio/{show}: a control room, not a form. */
import { Clapperboard, ExternalLink, Grid3x3, Pause, Play, Radio, Square } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty, Failed, Loading, Notice } from "../lib/pieces";
import { me, signInAddress } from "../lib/session";
import { Bar } from "../lib/shell";
import { isOnAir } from "../lib/showstate";
import { detailOf, sorryFor } from "../lib/sorry";
import { say as sayAll } from "../lib/words";
import type { Studio } from "./ctrl";
import { Offers } from "./offers";
import { Checklist, Figures, OnCard, Rundown, StudioChat } from "./panels";
import { Devices, guides, PreviewPane, UploadTrouble } from "./preview";
import { say } from "./words";

const ending = signal(false);

export function Room({ studio }: { studio: Studio }) {
  useShortcuts(studio);
  const known = studio.known.value;
  if (studio.failure.value !== null) return <Around><Failed error={studio.failure.value} retry={() => void studio.load()} /></Around>;
  if (!known || me.value === undefined) return <Around><Loading heights={["50vh", "96px"]} /></Around>;
  if (!me.value) return <Around><Empty icon={Clapperboard} title={say("title")}><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></Around>;
  if (!known.show.whip && known.show.state !== "ended") return <Around><Empty icon={Clapperboard} title={say("notYours")}><p>{say("notHostText")}</p></Empty></Around>;
  const onAir = isOnAir(known.show.state);
  const over = known.show.state === "ended";
  return (
    <Around>
      <div class="room">
        <div class="room-main">
          <PreviewPane studio={studio} />
          <UploadTrouble studio={studio} />
          {studio.refusal.value !== null && <Notice tone="fault"><p>{sorryFor(studio.refusal.value)} {detailOf(studio.refusal.value)}</p></Notice>}
          <Controls studio={studio} />
          <Figures studio={studio} />
          <Devices studio={studio} />
        </div>
        {!over && <div class="room-left">{!onAir && <Checklist studio={studio} />}<Rundown studio={studio} /></div>}
        <div class="room-right">{!over && <><OnCard studio={studio} /><Offers studio={studio} /></>}<StudioChat studio={studio} /></div>
      </div>
    </Around>
  );
}

function Around({ children }: { children: preact.ComponentChildren }) {
  return <div class="stage studio"><Bar here="/studio" /><main id="content">{children}</main></div>;
}

function Controls({ studio }: { studio: Studio }) {
  const show = studio.known.value?.show;
  if (!show) return null;
  if (show.state === "ended") return <Notice tone="calm" title={say("endedTitle")}><p class="small">{say("endedText")}</p></Notice>;
  const onAir = isOnAir(show.state);
  const sending = studio.whip.state.value === "sending" || studio.whip.state.value === "connecting" || studio.whip.state.value === "broken";
  return (
    <div class="controls">
      <h1>{show.title}</h1>
      {!(onAir && sending) && (
        <button type="button" class="button button-spend go-live" data-testid="go-live" disabled={studio.busy.value} onClick={() => void studio.goLive()}>
          <Radio size={20} aria-hidden="true" />{say(studio.busy.value ? "starting" : onAir ? "sendPicture" : "goLive")}
        </button>
      )}
      {onAir && (
        <button type="button" class="button" title={say("pauseHint")} onClick={() => void studio.pauseOrResume()}>
          {show.state === "paused" ? <Play size={18} aria-hidden="true" /> : <Pause size={18} aria-hidden="true" />}{say(show.state === "paused" ? "resume" : "pause")}<kbd>P</kbd>
        </button>
      )}
      <button type="button" class="button" aria-pressed={guides.value} title={say("guidesHint")} onClick={() => { guides.value = !guides.value; }}><Grid3x3 size={18} aria-hidden="true" />{say("guides")}<kbd>G</kbd></button>
      <a class="button" href={`/watch/${show.id}`} target="_blank" rel="noopener"><ExternalLink size={18} aria-hidden="true" />{say("watchPage")}</a>
      {onAir && <EndButton studio={studio} />}
    </div>
  );
}

/** Two presses: nobody ends a show with a slip of the hand. */
function EndButton({ studio }: { studio: Studio }) {
  const press = (): void => {
    if (ending.value) void studio.end();
    ending.value = !ending.value;
  };
  return (
    <button type="button" class={ending.value ? "button button-solid" : "button"} data-testid="end-show" onClick={press} onBlur={() => { ending.value = false; }}>
      <Square size={16} aria-hidden="true" />{say(ending.value ? "reallyEnd" : "end")}
    </button>
  );
}

function useShortcuts(studio: Studio): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const field = (event.target as HTMLElement).closest("input, select, textarea");
      if (!field && !event.ctrlKey && !event.metaKey && !event.altKey) shortcut(studio, event.key.toLowerCase());
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [studio]);
}

function shortcut(studio: Studio, key: string): void {
  const state = studio.known.value?.show.state;
  if (key === "n") void studio.next();
  if (key === "p" && (state === "live" || state === "paused")) void studio.pauseOrResume();
  if (key === "g") guides.value = !guides.value;
  const offer = /^[1-9]$/.test(key) ? studio.known.value?.show.offers[Number(key) - 1] : undefined;
  if (offer) void studio.togglePin(offer.id);
}
