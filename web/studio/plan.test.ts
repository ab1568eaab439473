import { describe, expect, test } from "vitest";
import type { Offer, Segment, Show } from "../lib/shapes";
import { knownFrom, type Known } from "../lib/showstate";
import { rms } from "./camera";
import { nextStep, orderCounts, readiness, toggledPins } from "./plan";
import { figuresFrom } from "./quality";

const offer = (id: string, left: number | null = 1): Offer => ({ id, product: id, title: id, image: null, price: { amount: 1, currency: "EUR" }, left, per_buyer_limit: null });

const known = (change: Partial<Show> = {}, segments: Segment[] = [], current: number | null = null): Known =>
  knownFrom({ id: "s", title: "S", shop: "d", state: "live", currency: "EUR", starts_at: null, started_at: null, offers: [offer("a"), offer("b")], pins: [], deal: null, viewers: 0, hub: [], hls: null, rundown: { segments, current }, ...change });

describe("pins", () => {
  test("put the newest first, hold three, and come off again", () => {
    expect(toggledPins(["a", "b", "c"], "d")).toEqual(["d", "a", "b"]);
    expect(toggledPins(["a", "b"], "a")).toEqual(["b"]);
  });
});

describe("Next", () => {
  const segments = [{ title: "1", offers: ["a"], planned_s: 60 }, { title: "2", offers: ["b", "c", "d", "e"], planned_s: 60 }];

  test("goes on in the running order until it is over", () => {
    expect([null, 0, 1].map((current) => nextStep(known({}, segments, current)))).toEqual([{ kind: "segment", title: "1" }, { kind: "segment", title: "2" }, { kind: "none" }]);
  });

  test("goes through the offers when nothing is planned, and round again", () => {
    const pins = (id: string) => ({ kind: "pins", title: id, pins: [id] });
    expect([[], ["a"], ["b"]].map((on) => nextStep(known({ pins: on })))).toEqual([pins("a"), pins("b"), pins("a")]);
    expect(nextStep(known({ offers: [] }))).toEqual({ kind: "none" });
    expect(nextStep(known({ offers: [offer("a")], pins: ["a"] }))).toEqual({ kind: "none" });
  });
});

describe("the checklist", () => {
  test("turns green point by point", () => {
    const nothing = readiness(known({ offers: [offer("a", 0)] }), { picture: false, heard: false }, false);
    expect(Object.values(nothing)).toEqual([false, false, false, false, false]);
    const all = readiness(known({ offers: [offer("a", null)], pins: ["a"] }), { picture: true, heard: true }, true);
    expect(Object.values(all)).toEqual([true, true, true, true, true]);
  });

  test("hears a voice and not a dead microphone", () => {
    expect(rms(new Float32Array(64))).toBe(0);
    expect(rms(Float32Array.from({ length: 64 }, (_, i) => (i % 2 ? 0.5 : -0.5)))).toBe(0.5);
  });
});

describe("the upload", () => {
  const sample = (atMs: number, bytesSent: number, heard: object = {}, sent: object = {}) => ({ atMs, reports: [{ type: "outbound-rtp", kind: "video", bytesSent, framesPerSecond: 30, qualityLimitationReason: "none", ...sent }, { type: "outbound-rtp", kind: "audio", bytesSent: 9e9 }, { type: "remote-inbound-rtp", kind: "video", fractionLost: 0, roundTripTime: 0.04, ...heard }] });

  test("is measured between two samples of the picture alone", () => {
    expect(figuresFrom(sample(0, 1000), sample(2000, 251_000))).toEqual({ kbps: 1000, fps: 30, lossPercent: 0, rttMs: 40, limited: null, limitedMs: 0, height: 0, roomKbps: 0, way: null, verdict: "good" });
    expect(figuresFrom(null, sample(0, 1000)).kbps).toBe(0);
  });

  test("is called shaky or poor, with what limits it", () => {
    expect(figuresFrom(null, sample(0, 0, { fractionLost: 0.03 })).verdict).toBe("fair");
    expect(figuresFrom(null, sample(0, 0, {}, { framesPerSecond: 4, qualityLimitationReason: "bandwidth" }))).toMatchObject({ verdict: "poor", limited: "bandwidth" });
  });

  test("says how the packets travel, what the line holds, and the pair's round trip while none is reported", () => {
    const way = [{ type: "candidate-pair", nominated: true, state: "succeeded", localCandidateId: "c", currentRoundTripTime: 0.02, availableOutgoingBitrate: 1_200_000 }, { type: "local-candidate", id: "c", protocol: "udp", candidateType: "relay" }];
    const now = sample(0, 0, { roundTripTime: undefined });
    expect(figuresFrom(null, { ...now, reports: [...now.reports, ...way] })).toMatchObject({ way: "UDP relay", rttMs: 20, roomKbps: 1200 });
  });

  test("counts for how long the encoder has been held back in a row", () => {
    const held = (atMs: number) => sample(atMs, 0, {}, { qualityLimitationReason: "cpu" });
    const first = figuresFrom(null, held(0));
    const second = figuresFrom(held(0), held(2000), first);
    expect([first.limitedMs, second.limitedMs, figuresFrom(held(2000), sample(4000, 0), second).limitedMs]).toEqual([0, 2000, 0]);
  });

  test("a new session's counter that starts anew is no negative rate", () => expect(figuresFrom(sample(0, 9000), sample(1000, 10)).kbps).toBe(0));
});

test("orders are counted as paid or open, and unknown stays unknown", () => {
  expect(orderCounts({ paid: 2, shipped: 1, held: 4, expired: 9 })).toEqual({ paid: 3, open: 4 });
  expect(orderCounts(undefined)).toBeNull();
});
