/** What decoders need out of the hub's fMP4 (FRAGMENTS.md): a decoder's configuration, a fragment's one sample. Pure. */
import type { InitFrame } from "../wire";

/** The body of the first box of that kind below `path`'s first kind, and so on. */
function boxAt(data: Uint8Array, path: readonly (readonly [kind: string, skip: number])[]): Uint8Array | null {
  const [first, ...rest] = path;
  if (!first) return data;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 8 <= data.length;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > data.length) return null;
    const kind = String.fromCharCode(...data.subarray(at + 4, at + 8));
    if (kind === first[0]) return boxAt(data.subarray(at + 8 + first[1], at + size), rest);
    at += size;
  }
  return null;
}

/** Bytes between a box's head and its first child: version and flags, counts, the fields of a sample entry. */
const TO_ENTRY = [["moov", 0], ["trak", 0], ["mdia", 0], ["minf", 0], ["stbl", 0], ["stsd", 8]] as const;

const codecOf = (init: InitFrame): string => /codecs="([^"]+)"/.exec(init.mseType)?.[1] ?? "";

/** Null when the init is of no H.264 we know. */
export function videoConfig(init: InitFrame): VideoDecoderConfig | null {
  const description = boxAt(init.data, [...TO_ENTRY, ["avc1", 78], ["avcC", 0]]);
  return description && { codec: codecOf(init), description, optimizeForLatency: true };
}

export function audioConfig(init: InitFrame): AudioDecoderConfig | null {
  return codecOf(init) === "opus" ? { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 } : null;
}

/** A fragment is moof and mdat of one sample. */
export function sampleOf(fragment: Uint8Array): Uint8Array {
  const moofBytes = new DataView(fragment.buffer, fragment.byteOffset).getUint32(0);
  return fragment.subarray(moofBytes + 8);
}
