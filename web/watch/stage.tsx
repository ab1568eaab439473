/** The picture with everything that lies on it: hearts, and what is said when there is no picture. */
import { Heart } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { dayAndTime } from "../lib/format";
import { Said } from "../lib/pieces";
import { calm } from "../lib/session";
import type { Watching } from "./ctrl";
import { Ended } from "./replay";
import { VIEWS } from "./said";
import { stateOf } from "./state";
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
  const { player } = watching;
  const known = watching.known.value;
  if (!known) return null;
  const playing = player?.playing.value ?? false;
  const state = stateOf({
    show: known.show.state, status: watching.status.value, host: known.host, online: watching.online.value, playing,
    way: player?.way.value ?? null, blocked: player?.blocked.value ?? false, unplayable: player?.unplayable.value ?? false,
  });
  if (state === null) return null;
  if (state === "ended") return <Ended />;
  if (state === "soon") return <Said title={known.show.starts_at ? say("soon", { time: dayAndTime(known.show.starts_at) }) : say("notYet")}>{say("soonNote")}</Said>;
  const { title, note, small, action, breathing = false } = VIEWS[state];
  if (playing && small) return <Said title={say(title)} small>{say(small)}</Said>;
  return <Said title={say(title)} breathing={breathing} action={action && <Action watching={watching} action={action} />}>{say(note)}</Said>;
}

function Action({ watching, action }: { watching: Watching; action: "rejoin" | "play" }) {
  if (action === "rejoin") return <button type="button" class="button" onClick={() => watching.rejoin()}>{say("rejoin")}</button>;
  return <button type="button" class="button button-solid" data-testid="press-play" onClick={() => void watching.player?.play()}>{say("pressPlay")}</button>;
}
