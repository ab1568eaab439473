/** How live it is, in one figure; and behind it everything that is known of how the picture plays. */
import { Activity } from "lucide-preact";
import { signal } from "@preact/signals";
import { tickingNow } from "../lib/clock";
import { count, decimal } from "../lib/format";
import type { AllFigures } from "../lib/player";
import type { Watching } from "./ctrl";
import { say } from "./words";

const open = signal(false);

type Word = Parameters<typeof say>[0];

export function HowLive({ watching }: { watching: Watching }) {
  const behind = watching.behindMs.value;
  if (behind === null || !watching.player) return null;
  return (
    <span class="how-live" onKeyDown={(event) => { if (event.key === "Escape") open.value = false; }}>
      <button type="button" class="chip" aria-expanded={open.value} data-testid="how-live" onClick={() => { open.value = !open.value; }} title={say("figures")}>
        <Activity size={14} aria-hidden="true" /><span class="viewers-word">{say("behind", { s: seconds(behind) })}</span><span class="viewers-number" aria-hidden="true">{seconds(behind)} s</span>
      </button>
      {open.value && <Panel watching={watching} />}
    </span>
  );
}

/** Drawn anew with the clock, four times a second. */
function Panel({ watching }: { watching: Watching }) {
  tickingNow();
  const figures = watching.player?.figures();
  const behind = watching.behindNowMs();
  if (!figures || behind === null) return null;
  return <dl class="figures-panel figures">{rowsOf(figures, behind, watching.hubHost()).map(([word, name, value]) => <div key={word}><dt>{say(word)}</dt><dd data-testid={`figure-${name}`}>{value}</dd></div>)}</dl>;
}

function rowsOf(figures: AllFigures, behind: number, hub: string): [Word, string, string][] {
  return [
    ["figBehind", "behind", ms(behind)], ["figBuffer", "buffer", ms(figures.bufferMs)], ["figTarget", "target", ms(figures.targetMs)],
    ["figJitter", "jitter", ms(figures.jitterMs)], ["figRate", "rate", `${decimal(figures.rate, 2)} ×`],
    ["figStalls", "stalls", count(figures.stalls)], ["figSeeks", "seeks", count(figures.seeks)], ["figDropped", "dropped", count(figures.dropped)],
    ["figBitrate", "bitrate", `${count(figures.kbps)} kbit/s`], ["figSize", "size", figures.size],
    ["figWay", "way", say(WAYS[figures.way])], ["figCodec", "codec", figures.codec], ["figHub", "hub", hub],
  ];
}

const WAYS = { mse: "wayEven", direct: "wayDirect", hls: "wayHls" } as const;

/** Nothing is 0.0 s behind. */
const seconds = (behindMs: number): string => decimal(behindMs / 1000, behindMs < 95 ? 2 : 1);

const ms = (value: number): string => `${Math.round(value)} ms`;
