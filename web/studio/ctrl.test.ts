import { beforeEach, expect, test, vi } from "vitest";
import { Studio } from "./ctrl";
import { whyNot } from "./refusals";

const SHOW = { id: "s1", state: "scheduled", offers: [], pins: [], whip: { url: "http://studio.test/whip/s1", token: "t" } };
const PICTURE = { getTracks: () => [], getAudioTracks: () => [], getVideoTracks: () => [] } as unknown as MediaStream;

let asked: string[];
let getUserMedia: ReturnType<typeof vi.fn<() => Promise<MediaStream>>>;

beforeEach(() => {
  asked = [];
  getUserMedia = vi.fn();
  vi.stubGlobal("document", { cookie: "", documentElement: {}, hidden: true });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia, enumerateDevices: async () => [] } });
  vi.stubGlobal("fetch", async (url: string, { method = "GET" }: RequestInit = {}) => {
    asked.push(`${method} ${url}`);
    return new Response(JSON.stringify(SHOW), { headers: { "Content-Type": "application/json" } });
  });
});

/** A control room whose ways out are only noted: the streams that were sent. */
async function room(): Promise<{ studio: Studio; sent: MediaStream[] }> {
  const sent: MediaStream[] = [];
  const studio = new Studio("s1");
  vi.spyOn(studio.whip as unknown as { connect: () => Promise<void> }, "connect").mockImplementation(async function (this: { wanted: { stream: MediaStream } }) { sent.push(this.wanted.stream); });
  await studio.load();
  return { studio, sent };
}

/** Whoever goes live while the browser still asks whether the camera may be used; `allow` says yes. */
async function pressedEarly() {
  let allow: (stream: MediaStream) => void = () => undefined;
  getUserMedia.mockReturnValue(new Promise((done) => { allow = done; }));
  const { studio, sent } = await room();
  void studio.camera.open();
  const live = studio.goLive();
  await vi.waitFor(() => expect(studio.whip.state.value).toBe("connecting"));
  return { studio, sent, live, allow };
}

test("who presses before the camera has opened is on air at once, and the picture follows when it opens", async () => {
  const { sent, live, allow } = await pressedEarly();
  expect(asked.some((each) => each.startsWith("POST") && each.endsWith("/shows/s1/start"))).toBe(true);
  expect(sent).toEqual([]);
  allow(PICTURE);
  expect(await live).toBe(true);
  expect(sent).toEqual([PICTURE]);
});

test("a host without a camera is on air all the same, and reads that no picture is sent", async () => {
  getUserMedia.mockRejectedValue(new DOMException("no", "NotAllowedError"));
  const { studio, sent } = await room();
  void studio.camera.open();
  expect(await studio.goLive()).toBe(false);
  expect(whyNot(studio.refusal.value)).toContain("No picture is sent");
  expect(studio.whip.state.value).toBe("idle");
  getUserMedia.mockResolvedValue(PICTURE);
  await studio.useDevices(null, null);
  expect(await studio.goLive()).toBe(true);
  expect(sent).toEqual([PICTURE]);
});

test("a show that is ended while the camera opens gets no picture any more", async () => {
  const { studio, sent, live, allow } = await pressedEarly();
  await studio.end();
  allow(PICTURE);
  await live;
  expect(sent).toEqual([]);
  expect(studio.whip.state.value).toBe("idle");
});
