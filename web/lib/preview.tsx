/** A small moving picture of a show, without sound and without events that matter; whoever looks counts as a viewer. */
import { useEffect, useRef } from "preact/hooks";
import { post } from "./api";
import { HubSocket } from "./hub";
import { canPlay, Player } from "./player";
import type { Ticket } from "./shapes";
import { say } from "./words";

export function Preview({ show, title }: { show: string; title: string }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current && canPlay() && !savesData() ? moving(show, video.current) : undefined), [show]);
  const shown = (event: Event): void => { (event.currentTarget as HTMLVideoElement).dataset.playing = ""; };
  return <video ref={video} class="live-preview" muted playsInline tabIndex={-1} aria-label={say("previewOf", { title })} onPlaying={shown} />;
}

/** A hidden tab lets go of its place at the hub. */
function moving(show: string, video: HTMLVideoElement): () => void {
  const player = new Player(video, "mse");
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
