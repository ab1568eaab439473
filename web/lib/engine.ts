/** What shows a show's fragments: a MediaSource (mse.ts), decoders of our own (direct/), a playlist (hls/). */
import type { Fragment, InitFrame } from "./wire";

export const VIDEO = 1;
export const AUDIO = 2;

/** How the picture is made; `direct` is what people read as "lowest delay". */
export type Way = "mse" | "direct" | "hls";

/** Where a show's HLS is, and the server's time when its broadcast began, once that is known. */
export interface Playlist { url: string; epochMs(): number | null }

export interface Figures { bufferMs: number; targetMs: number; jitterMs: number; rate: number; stalls: number; seeks: number; dropped: number }

/** What an engine tells the player. */
export interface Heard {
  playing(yes: boolean): void;
  /** The element should play, as far as the browser lets it. */
  play(): void;
  /** The element is about to lose its picture. */
  leaving(): void;
  /** This way does not work here: another one is needed. */
  failed(): void;
}

export interface Engine {
  init(init: InitFrame): void;
  media(fragments: readonly Fragment[]): void;
  /** Seconds of media time now shown, or null while there is no picture. */
  mediaTime(): number | null;
  figures(): Figures;
  /** The page is seen again; `group` is what has come since the last key frame. */
  awake(group: readonly Fragment[]): void;
  sound(on: boolean): void;
  destroy(): void;
}
