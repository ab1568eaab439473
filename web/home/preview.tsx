/** The moving tile: the show's own live picture, without sound and without events that matter. */
import { useEffect, useRef } from "preact/hooks";
import { post } from "../lib/api";
import { HubSocket } from "../lib/hub";
import { canPlay, Player } from "../lib/player";
import type { Ticket } from "../lib/shapes";
import { say } from "./words";

export function Preview({ show, title }: { show: string; title: string }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current && canPlay() && !savesData() ? moving(show, video.current) : undefined), [show]);
  return <video ref={video} class="tile-video" muted playsInline aria-label={say("previewOf", { title })} />;
}

/** A hidden tab lets go of its place at the hub. */
function moving(show: string, video: HTMLVideoElement): () => void {
  const player = new Player(video);
  const hub = new HubSocket({
    show, media: true,
    ticket: () => post<Ticket>(`/shows/${show}/ticket`),
    listener: { event: () => undefined, status: () => undefined, init: (init) => player.init(init), media: (fragments) => player.media(fragments) },
  });
  const seen = (): void => { if (document.hidden) hub.leave(); else void hub.join(); };
  seen();
  document.addEventListener("visibilitychange", seen);
  return () => { document.removeEventListener("visibilitychange", seen); hub.leave(); player.destroy(); };
}

function savesData(): boolean {
  const connection = (navigator as { connection?: { saveData?: boolean } }).connection;
  return connection?.saveData === true || matchMedia("(prefers-reduced-motion: reduce)").matches;
}
