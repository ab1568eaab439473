/** What is said in place of the picture, or over it: one clear state for everything that can keep it away. Pure. */
import type { Way } from "../lib/engine";
import type { HubStatus } from "../lib/hub";
import type { ShowState } from "../lib/shapes";

export type PictureState =
  | "ended" | "soon" | "offline" | "lost" | "crowded" | "bye" | "refused" | "paused" | "hostAway" | "hostGone"
  | "pressPlay" | "noCodec" | "noPlayer" | "coming";

export interface Facts {
  show: ShowState;
  status: HubStatus;
  host: "here" | "away" | "gone";
  online: boolean;
  /** There is a picture, moving or not. */
  playing: boolean;
  way: Way | null;
  /** The browser wants a press first. */
  blocked: boolean;
  unplayable: boolean;
}

/** The nearest cause first: what ended needs no line, who has no line hears nothing of the host; null: nothing to say. */
export function stateOf(facts: Facts): PictureState | null {
  return ofShow(facts) ?? ofLine(facts) ?? ofHost(facts) ?? ofPlayer(facts);
}

function ofShow({ show, status }: Facts): PictureState | null {
  if (show === "ended" || status === "ended") return "ended";
  return show === "scheduled" || show === "draft" ? "soon" : null;
}

function ofLine({ status, online, playing, way }: Facts): PictureState | null {
  if (status === "bye" || status === "refused") return status;
  if (status !== "waiting" && status !== "crowded") return null;
  if (playing && way === "hls") return null; // the picture needs no hub
  if (status === "crowded") return "crowded";
  return online ? "lost" : "offline";
}

function ofHost({ show, host }: Facts): PictureState | null {
  if (show === "paused") return "paused";
  if (host === "here") return null;
  return host === "away" ? "hostAway" : "hostGone";
}

function ofPlayer({ blocked, unplayable, way, playing }: Facts): PictureState | null {
  if (way === null) return "noPlayer";
  if (blocked) return "pressPlay";
  if (unplayable) return "noCodec";
  return playing ? null : "coming";
}
