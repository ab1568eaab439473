/** The picture with everything that lies on it: hearts, and what is said when there is no picture. */
import { Heart } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { dayAndTime } from "../lib/format";
import { Said } from "../lib/pieces";
import { canPlay } from "../lib/player";
import { calm } from "../lib/session";
import type { Watching } from "./ctrl";
import { Ended } from "./replay";
import { say } from "./words";

const ECHO_MS = 300;

export function Stage({ watching }: { watching: Watching }) {
  const { player } = watching;
  return (
    <section class="picture" data-portrait={player !== null && player.aspect.value < 1 ? "" : undefined} data-empty={player?.playing.value || player?.hasStill.value ? undefined : ""} data-still={player?.hasStill.value ? "" : undefined}>
      <Echo video={watching.video} />
      <Screen watching={watching} />
      <NoPicture watching={watching} />
      {!calm.value && <div class="hearts" aria-hidden="true">{watching.hearts.rising.value.map((id) => <Heart key={id} size={24} style={{ left: `${(id * 7) % 60}px` }} />)}</div>}
    </section>
  );
}

/** The element was made before the page and plays already; here it gets its place. */
function Screen({ watching }: { watching: Watching }) {
  const place = useRef<HTMLDivElement>(null);
  const label = say("picture", { title: watching.known.value?.show.title ?? "" });
  useLayoutEffect(() => {
    place.current?.append(watching.video, ...(watching.player ? [watching.player.still] : []));
  }, [watching]);
  useLayoutEffect(() => { watching.video.setAttribute("aria-label", label); }, [watching, label]);
  return <div class="picture-screen" ref={place} />;
}

/** What surrounds a picture of another shape is a blurred copy of itself. */
function Echo({ video }: { video: HTMLVideoElement }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const timer = setInterval(() => {
      if (video.readyState >= 2 && !document.hidden) {
        canvas.current?.getContext("2d")?.drawImage(video, 0, 0, 32, 18);
      }
    }, ECHO_MS);
    return () => clearInterval(timer);
  }, [video]);
  return <canvas ref={canvas} class="picture-echo" width={32} height={18} aria-hidden="true" />;
}

function NoPicture({ watching }: { watching: Watching }) {
  const known = watching.known.value;
  const show = known?.show;
  const status = watching.status.value;
  const playing = watching.player?.playing.value ?? false;
  if (!known || !show) return null;
  if (show.state === "ended" || status === "ended") return <Ended />;
  if (show.state === "scheduled" || show.state === "draft") {
    return <Said title={show.starts_at ? say("soon", { time: dayAndTime(show.starts_at) }) : say("notYet")}>{say("soonNote")}</Said>;
  }
  if (status === "waiting" && playing && watching.player?.way.value === "hls") return null; // the picture needs no hub
  if (status === "waiting" && !navigator.onLine) return <Said title={say("offline")} small={playing}>{say(playing ? "offline" : "offlineNote")}</Said>;
  if (status === "waiting") return <Said title={say("lost")} small={playing}>{playing ? say("reconnecting") : say("lostNote")}</Said>;
  if (status === "bye" || status === "refused") {
    return (
      <Said title={say("lost")} action={<button type="button" class="button" onClick={() => watching.rejoin()}>{say("rejoin")}</button>}>
        {status === "refused" ? say("refusedNote") : ""}
      </Said>
    );
  }
  if (show.state === "paused") return <Said title={say("paused")}>{say("pausedNote")}</Said>;
  if (known.host === "away") return <Said title={say("hostAway")} small={playing}>{say(playing ? "hostAway" : "hostAwayNote")}</Said>;
  if (known.host === "gone") return <Said title={say("hostGone")} small={playing}>{say(playing ? "hostGone" : "hostGoneNote")}</Said>;
  if (watching.player?.blocked.value) {
    return <Said title={say("waitingPicture")} action={<button type="button" class="button button-solid" onClick={() => void watching.player?.play()}>{say("pressPlay")}</button>}>{say("pressPlayNote")}</Said>;
  }
  if (watching.player?.unplayable.value) return <Said title={say("noCodec")}>{say("noMse")}</Said>;
  if (!canPlay()) return <Said title={say("waitingPicture")}>{say("noMse")}</Said>;
  return playing ? null : <Said title={say("waitingPicture")} breathing>{say("waitingPictureNote")}</Said>;
}
