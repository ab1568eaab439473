import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { VIDEO } from "./engine";
import { Buffered } from "./mse";
import type { Fragment, InitFrame } from "./wire";

const INIT: InitFrame = { kind: "init", track: VIDEO, generation: 1, mseType: 'video/mp4; codecs="avc1.42c01f"', data: new Uint8Array([0]) };
const KEY: Fragment = { track: VIDEO, key: true, generation: 1, sequence: 0, timeUs: 0, data: new Uint8Array([1]) };

class Video extends EventTarget {
  src = ""; readyState = 0; currentTime = 0; playbackRate = 1; paused = false; seeking = false; error: { code: number } | null = null;
  buffered = { length: 0 };
  load(): void { this.error = null; }
  removeAttribute(): void { this.src = ""; }
}

class Buffer extends EventTarget {
  updating = false; buffered = { length: 0 };
  appendBuffer(): void { appended += 1; }
}

class Source extends EventTarget {
  static isTypeSupported = (): boolean => true;
  readyState = "open"; duration = 0;
  constructor() { super(); queueMicrotask(() => this.dispatchEvent(new Event("sourceopen"))); }
  addSourceBuffer(): Buffer { return new Buffer(); }
}

let appended = 0;
let video: Video;
let engine: Buffered;
const heard = { play: vi.fn(), playing: vi.fn(), leaving: vi.fn(), failed: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  vi.stubGlobal("window", { MediaSource: Source });
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("HTMLMediaElement", { HAVE_NOTHING: 0, HAVE_CURRENT_DATA: 2 });
  vi.stubGlobal("URL", { createObjectURL: () => "blob:x", revokeObjectURL: () => undefined });
  appended = 0;
  video = new Video();
  engine = new Buffered(video as unknown as HTMLVideoElement, heard as never, true);
});

afterEach(() => { engine.destroy(); vi.unstubAllGlobals(); vi.useRealTimers(); });

/** A group of pictures comes, and the decoder cannot make anything of it. */
async function undecodable(): Promise<void> {
  const before = appended;
  engine.media([KEY]);
  await vi.advanceTimersByTimeAsync(10);
  expect(appended).toBeGreaterThan(before);
  video.error = { code: 3 };
  await vi.advanceTimersByTimeAsync(200);
}

test("what cannot be decoded is tried anew twice, with the init before it, and then given up", async () => {
  engine.init(INIT);
  await undecodable();
  await undecodable();
  expect(heard.failed).not.toHaveBeenCalled();
  await undecodable();
  expect(heard.failed).toHaveBeenCalledTimes(1);
});

test("a picture in between begins the count anew", async () => {
  engine.init(INIT);
  for (let round = 0; round < 4; round += 1) {
    await undecodable();
    await undecodable();
    video.dispatchEvent(new Event("playing"));
  }
  expect(heard.failed).not.toHaveBeenCalled();
});
