/** Frames of the hub (`livesale.v1`): bytes in, typed values out. Pure; a malformed frame throws `RangeError`. */
import { decode } from "@msgpack/msgpack";
import type { HubEvent } from "./shapes";

export const SUBPROTOCOL = "livesale.v1";

export interface EventsFrame { kind: "events"; after: number; upto: number; events: HubEvent[] }
export interface InitFrame { kind: "init"; track: number; generation: number; mseType: string; data: Uint8Array }
export interface Fragment { track: number; key: boolean; generation: number; sequence: number; timeUs: number; data: Uint8Array }
export interface MediaFrame { kind: "media"; fragments: Fragment[] }
export type Frame = EventsFrame | InitFrame | MediaFrame | { kind: "unknown" };

const EVENTS = 0x01;
const INIT = 0x02;
const MEDIA = 0x03;
const FRAGMENT_HEADER_BYTES = 20;

export function decodeFrame(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint8(0)) {
    case EVENTS: return eventsFrame(bytes.subarray(1));
    case INIT: return initFrame(bytes, view);
    case MEDIA: return { kind: "media", fragments: fragments(bytes, view) };
    default: return { kind: "unknown" };
  }
}

function eventsFrame(body: Uint8Array): EventsFrame {
  const map = decode(body) as { after?: unknown; upto?: unknown; events?: unknown };
  if (typeof map.after !== "number" || typeof map.upto !== "number" || !Array.isArray(map.events)) {
    throw new RangeError("an events frame without after, upto or events");
  }
  return { kind: "events", after: map.after, upto: map.upto, events: map.events as HubEvent[] };
}

function initFrame(bytes: Uint8Array, view: DataView): InitFrame {
  const typeEnd = 5 + view.getUint8(4);
  if (typeEnd > bytes.length) throw new RangeError("an init frame that ends inside its type");
  return {
    kind: "init",
    track: view.getUint8(1),
    generation: view.getUint16(2),
    mseType: new TextDecoder().decode(bytes.subarray(5, typeEnd)),
    data: bytes.subarray(typeEnd),
  };
}

function fragments(bytes: Uint8Array, view: DataView): Fragment[] {
  const found: Fragment[] = [];
  for (let at = 1; at < bytes.length;) {
    const start = at + FRAGMENT_HEADER_BYTES;
    const end = start + view.getUint32(at + 16);
    if (end > bytes.length) throw new RangeError("a media frame that ends inside a fragment");
    found.push({
      track: view.getUint8(at),
      key: (view.getUint8(at + 1) & 1) === 1,
      generation: view.getUint16(at + 2),
      sequence: view.getUint32(at + 4),
      timeUs: Number(view.getBigUint64(at + 8)),
      data: bytes.subarray(start, end),
    });
    at = end;
  }
  return found;
}
