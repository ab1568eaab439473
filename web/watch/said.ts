/** How each state of the picture is put into words: a title, a note, and what a press does about it. */
import type { PictureState } from "./state";
import type { words } from "./words";

type Word = keyof typeof words.en;

interface View {
  title: Word;
  note: Word;
  /** Over a picture that still stands there, these few words are enough. */
  small?: Word;
  action?: "rejoin" | "play";
  breathing?: boolean;
}

/** `ended` and `soon` are drawn by themselves: they name a time and lead elsewhere. */
export const VIEWS: Record<Exclude<PictureState, "ended" | "soon">, View> = {
  coming: { title: "waitingPicture", note: "waitingPictureNote", breathing: true },
  pressPlay: { title: "pressFirst", note: "pressPlayNote", action: "play" },
  noCodec: { title: "noCodec", note: "noMse" },
  noPlayer: { title: "noPlayer", note: "noMse" },
  hostAway: { title: "hostAway", note: "hostAwayNote", small: "hostAway" },
  hostGone: { title: "hostGone", note: "hostGoneNote", small: "hostGone" },
  paused: { title: "paused", note: "pausedNote" },
  lost: { title: "lost", note: "lostNote", small: "reconnecting" },
  offline: { title: "offline", note: "offlineNote", small: "offline" },
  crowded: { title: "crowded", note: "crowdedNote", small: "crowded" },
  bye: { title: "lost", note: "byeNote", action: "rejoin" },
  refused: { title: "refused", note: "refusedNote", action: "rejoin" },
};
