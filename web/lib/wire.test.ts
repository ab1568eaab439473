import { encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { decodeFrame } from "./wire";

const bytes = (...parts: (number[] | Uint8Array)[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

const fragment = (track: number, flags: number, sequence: number, timeUs: bigint, data: number[]): Uint8Array => {
  const head = new DataView(new ArrayBuffer(20));
  head.setUint8(0, track);
  head.setUint8(1, flags);
  head.setUint16(2, 7);
  head.setUint32(4, sequence);
  head.setBigUint64(8, timeUs);
  head.setUint32(16, data.length);
  return bytes(new Uint8Array(head.buffer), data);
};

describe("a hub frame", () => {
  test("0x01 gives the events with the positions they cover", () => {
    const frame = decodeFrame(bytes([0x01], encode({ after: 4, upto: 6, events: [{ type: "stock", offer: "of_1", left: 3 }] })));
    expect(frame).toEqual({ kind: "events", after: 4, upto: 6, events: [{ type: "stock", offer: "of_1", left: 3 }] });
  });

  test("0x02 gives track, generation, MSE type and init segment", () => {
    const type = 'video/mp4; codecs="avc1.42c020"';
    const frame = decodeFrame(bytes([0x02, 1, 1, 2, type.length], new TextEncoder().encode(type), [9, 8, 7]));
    expect(frame).toEqual({ kind: "init", track: 1, generation: 258, mseType: type, data: Uint8Array.from([9, 8, 7]) });
  });

  test("0x03 gives every fragment of a batch, also beyond 2^32 µs", () => {
    const frame = decodeFrame(bytes([0x03], fragment(1, 1, 5, 7_200_000_000n, [1, 2]), fragment(2, 0, 9, 20_000n, [3])));
    expect(frame.kind === "media" && frame.fragments).toEqual([
      { track: 1, key: true, generation: 7, sequence: 5, timeUs: 7_200_000_000, data: Uint8Array.from([1, 2]) },
      { track: 2, key: false, generation: 7, sequence: 9, timeUs: 20_000, data: Uint8Array.from([3]) },
    ]);
  });

  test("is read from the middle of a larger buffer", () => {
    const whole = bytes([0, 0, 0x03], fragment(2, 0, 1, 1n, [5]));
    expect(decodeFrame(whole.subarray(2)).kind).toBe("media");
  });

  test("of a kind we do not know yet is no error", () => {
    expect(decodeFrame(Uint8Array.from([0x7f, 1])).kind).toBe("unknown");
  });

  test.each([
    ["empty", []], ["an init cut inside its type", [0x02, 1, 0, 1, 200, 1]], ["a fragment header cut short", [0x03, 1, 1, 0]],
    ["a fragment that claims more than there is", [...bytes([0x03], fragment(1, 1, 0, 0n, [1, 2, 3])).slice(0, -1)]], ["events that are no map", [0x01, 0xc0]],
  ])("that is malformed throws: %s", (_, frame) => {
    expect(() => decodeFrame(Uint8Array.from(frame))).toThrow();
  });
});
