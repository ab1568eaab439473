import { describe, expect, test } from "vitest";
import { stateOf, type Facts } from "./state";
import { words } from "./words";
import { VIEWS } from "./said";

const facts = (change: Partial<Facts> = {}): Facts =>
  ({ show: "live", status: "joined", host: "here", online: true, playing: true, way: "mse", blocked: false, unplayable: false, ...change });

describe("what is said of the picture", () => {
  test("nothing, while it plays", () => {
    expect(stateOf(facts())).toBeNull();
    expect(stateOf(facts({ status: "joining" }))).toBeNull();
  });

  test.each<[string, Partial<Facts>]>([
    ["coming", { playing: false }], ["pressPlay", { blocked: true, playing: false }], ["noCodec", { unplayable: true, playing: false }], ["noPlayer", { way: null, playing: false }],
    ["hostAway", { host: "away" }], ["hostGone", { host: "gone", playing: false }], ["paused", { show: "paused" }],
    ["lost", { status: "waiting" }], ["offline", { status: "waiting", online: false }], ["crowded", { status: "crowded" }],
    ["bye", { status: "bye" }], ["refused", { status: "refused" }],
    ["soon", { show: "scheduled", status: "bye", playing: false }], ["ended", { show: "ended", status: "bye" }], ["ended", { status: "ended" }],
  ])("%s", (state, change) => {
    expect(stateOf(facts(change))).toBe(state);
  });

  test("the nearest cause: without a line nothing is known of the host, and a press does not bring it back", () => {
    expect(stateOf(facts({ status: "waiting", host: "away", blocked: true }))).toBe("lost");
    expect(stateOf(facts({ show: "ended", status: "waiting", online: false }))).toBe("ended");
  });

  test("nothing of a hub out of reach, while the playlist plays", () => {
    expect(stateOf(facts({ status: "waiting", way: "hls" }))).toBeNull();
    expect(stateOf(facts({ status: "waiting", way: "hls", playing: false }))).toBe("lost");
  });

  test("every state is said in both languages, with what to do or what will happen", () => {
    for (const { title, note } of Object.values(VIEWS)) {
      for (const tongue of ["en", "de"] as const) expect([words[tongue][title], words[tongue][note]].every((text) => text.length > 3)).toBe(true);
    }
  });
});
