/**
 * Captions of the host's words, as text tracks of the picture: what browsers, their own controls and assistive tools know
 * how to show, in the type the viewer has set. A line begins with its picture (cue.ts) and stays as long as the server says.
 */
import { signal } from "@preact/signals-core";
import { keepCaptions, keptCaptions } from "../lib/preference";
import type { HubEvent } from "../lib/shapes";

/** A portrait picture fills a phone, and the card lies on its lower third. */
const ABOVE_THE_CARD_PERCENT = 56;

export const isCaption = (event: HubEvent): boolean => event.type === "caption";

export class Captioning {
  readonly on = signal(keptCaptions());
  /** There has been one: the switch is worth its place. */
  readonly offered = signal(false);
  private readonly tracks = new Map<string, TextTrack>();

  constructor(private readonly video: HTMLVideoElement) {
    video.addEventListener("emptied", () => this.forget()); // another way to play counts its time anew
    video.textTracks.addEventListener("change", () => this.turned());
  }

  turn(on: boolean): void {
    for (const track of this.tracks.values()) track.mode = on ? "showing" : "hidden";
    this.on.value = on;
    keepCaptions(on);
  }

  heard(event: HubEvent): void {
    this.offered.value = true;
    const track = this.trackOf(String(event.lang ?? ""));
    for (const cue of [...(track.cues ?? [])]) if (cue.endTime <= this.video.currentTime) track.removeCue(cue);
    const forS = (Number(event.ends_ms) - Number(event.begins_ms)) / 1000;
    const cue = new VTTCue(this.video.currentTime, this.video.currentTime + forS, plain(String(event.text ?? "")));
    if (this.video.videoHeight > this.video.videoWidth) [cue.snapToLines, cue.line] = [false, ABOVE_THE_CARD_PERCENT];
    track.addCue(cue);
  }

  /** The browser's own menu has a switch, too. */
  private turned(): void {
    const showing = [...this.tracks.values()].some(({ mode }) => mode === "showing");
    if (this.tracks.size > 0 && showing !== this.on.peek()) this.turn(showing);
  }

  private trackOf(lang: string): TextTrack {
    const known = this.tracks.get(lang);
    if (known) return known;
    const track = this.video.addTextTrack("captions", "", lang); // without a label menus say the language in their own words
    track.mode = this.on.peek() ? "showing" : "hidden";
    this.tracks.set(lang, track);
    return track;
  }

  private forget(): void {
    for (const track of this.tracks.values()) for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
  }
}

/** WebVTT has marks and entities; what the host types has not. */
const plain = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
