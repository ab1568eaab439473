import { beforeEach, expect, test, vi } from "vitest";
import { Captioning } from "./captions";

class FakeCue {
  snapToLines = true;
  line: number | "auto" = "auto";
  constructor(readonly startTime: number, readonly endTime: number, readonly text: string) {}
}

class FakeTrack {
  mode = "disabled";
  cues: FakeCue[] = [];
  constructor(readonly kind: string, readonly label: string, readonly language: string) {}
  addCue(cue: FakeCue): void { this.cues.push(cue); }
  removeCue(cue: FakeCue): void { this.cues.splice(this.cues.indexOf(cue), 1); }
}

class FakeVideo extends EventTarget {
  currentTime = 10;
  videoWidth = 1280;
  videoHeight = 720;
  all: FakeTrack[] = [];
  textTracks = new EventTarget();
  addTextTrack(kind: string, label: string, language: string): FakeTrack {
    this.all.push(new FakeTrack(kind, label, language));
    return this.all.at(-1) as FakeTrack;
  }
}

const said = (text: string, forMs = 2000) => ({ type: "caption", text, lang: "de", begins_ms: 70_000, ends_ms: 70_000 + forMs });

function watched() {
  const video = new FakeVideo();
  return { video, captions: new Captioning(video as unknown as HTMLVideoElement), cues: () => video.all[0]?.cues ?? [] };
}

beforeEach(() => { vi.stubGlobal("VTTCue", FakeCue); });

test("a caption is a cue of a captions track in its language, on its picture for as long as the server says", () => {
  const { video, captions, cues } = watched();
  captions.heard(said("Hallo", 3000));
  expect(video.all.map(({ kind, language }) => [kind, language])).toEqual([["captions", "de"]]);
  expect(cues().map(({ startTime, endTime, text }) => [startTime, endTime, text])).toEqual([[10, 13, "Hallo"]]);
});

test("what is over is let go of with the next line, and all of it when the picture is another one", () => {
  const { video, captions, cues } = watched();
  captions.heard(said("first"));
  video.currentTime = 12.5;
  captions.heard(said("second"));
  expect(cues().map(({ text }) => text)).toEqual(["second"]);
  video.dispatchEvent(new Event("emptied"));
  expect(cues()).toEqual([]);
});

test("the switch is offered once there has been one, and follows the browser's own", () => {
  const { video, captions } = watched();
  expect(captions.offered.value).toBe(false);
  captions.heard(said("Hallo"));
  expect([captions.offered.value, captions.on.value, video.all[0]?.mode]).toEqual([true, false, "hidden"]);
  captions.turn(true);
  expect(video.all[0]?.mode).toBe("showing");
  (video.all[0] as FakeTrack).mode = "disabled";
  video.textTracks.dispatchEvent(new Event("change"));
  expect(captions.on.value).toBe(false);
});

test("what the host types is text: no mark-up of WebVTT's", () => {
  const { captions, cues } = watched();
  captions.heard(said("1 < 2 & <b>"));
  expect(cues()[0]?.text).toBe("1 &lt; 2 &amp; &lt;b>");
});

test("on a portrait picture the line lies above the card", () => {
  const { video, captions, cues } = watched();
  [video.videoWidth, video.videoHeight] = [720, 1280];
  captions.heard(said("Hallo"));
  expect([cues()[0]?.snapToLines, cues()[0]?.line]).toEqual([false, 56]);
});
