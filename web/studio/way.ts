/** A way for the picture out of this page: peer.ts (WHIP over UDP) or socket.ts (WebSocket). */
import type { UploadFigures } from "./quality";

export interface Target { url: string; token: string }

/** `up`: it goes through. `down`: this connection is over. `shaky`: it may come back by itself. `taken`: another host has the show. */
export type WayState = "up" | "shaky" | "down" | "taken";

export interface Way {
  /** Resolves when the studio has agreed; throws `Refused`, or whatever a dead line throws. */
  open(stream: MediaStream, takeover: boolean): Promise<void>;
  /** Another camera or microphone in the same session; false when it has no place for one. */
  replace(stream: MediaStream): Promise<boolean>;
  /** Tries to go on in the same session over whatever line there is now: `over` when only a new one can, `taken` by another host. */
  revive(): Promise<"mended" | "over" | "taken">;
  close(leaving: boolean): Promise<void>;
  figures(earlier: UploadFigures | null): Promise<UploadFigures | null>;
}
