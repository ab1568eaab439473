/** What is said beside the picture, never on it: title, on air, viewers, how live it is, sound. */
import { Activity, Eye, ShoppingBag, Volume2, VolumeX } from "lucide-preact";
import { signal } from "@preact/signals";
import { tickingNow } from "../lib/clock";
import { count, decimal } from "../lib/format";
import { TimerRing } from "../lib/pieces";
import type { Player } from "../lib/player";
import { calm } from "../lib/session";
import { Account, Mark, Tongue } from "../lib/shell";
import { say as sayAll, sayState } from "../lib/words";
import { isOnAir } from "../lib/showstate";
import type { Watching } from "./ctrl";
import { say } from "./words";

const open = signal(false);

export function WatchBar({ watching }: { watching: Watching }) {
  return (
    <header class="watch-bar">
      <Mark />
      <Reservation watching={watching} />
      <span class="watch-bar-end"><Tongue /><Account /></span>
    </header>
  );
}

export function Info({ watching }: { watching: Watching }) {
  const show = watching.known.value?.show;
  if (!show) return null;
  return (
    <div class="info">
      {show.state === "live" ? <span class="on-air">{sayAll("onAir")}</span> : <span class="chip">{sayState("show", show.state)}</span>}
      <h1>{show.title}</h1>
      {show.viewers > 0 && <span class="chip"><Eye size={14} aria-hidden="true" /><Viewers n={show.viewers} /></span>}
      <HowLive watching={watching} />
      {watching.player?.playing.value && isOnAir(show.state) && <Sound player={watching.player} />}
    </div>
  );
}

/** On a phone the eye says what is counted. */
function Viewers({ n }: { n: number }) {
  return (
    <>
      <span class="viewers-word">{sayAll("viewers", { n })}</span>
      <span class="viewers-number" aria-hidden="true">{count(n)}</span>
    </>
  );
}

function HowLive({ watching }: { watching: Watching }) {
  const behind = watching.behindMs.value;
  if (behind === null || !watching.player) return null;
  return (
    <span class="how-live">
      <button type="button" class="chip" aria-expanded={open.value} data-testid="how-live" onClick={() => { open.value = !open.value; }} title={say("figures")}>
        <Activity size={14} aria-hidden="true" /><span class="viewers-word">{say("behind", { s: decimal(behind / 1000) })}</span><span class="viewers-number" aria-hidden="true">{decimal(behind / 1000)} s</span>
      </button>
      {open.value && <Figures watching={watching} />}
    </span>
  );
}

/** Drawn anew with the clock, four times a second. */
function Figures({ watching }: { watching: Watching }) {
  tickingNow();
  const figures = watching.player?.figures();
  const behind = watching.behindNowMs();
  if (!figures || behind === null) return null;
  const rows: [Parameters<typeof say>[0], string, string][] = [
    ["figBehind", "behind", `${Math.round(behind)} ms`], ["figBuffer", "buffer", `${figures.bufferMs} ms`], ["figTarget", "target", `${figures.targetMs} ms`],
    ["figRate", "rate", `${decimal(figures.rate, 2)} ×`], ["figStalls", "stalls", String(figures.stalls)], ["figSeeks", "seeks", String(figures.seeks)],
    ["figDropped", "dropped", String(figures.dropped)],
  ];
  return <dl class="figures-panel figures">{rows.map(([word, name, value]) => <div key={word}><dt>{say(word)}</dt><dd data-testid={`figure-${name}`}>{value}</dd></div>)}</dl>;
}

function Sound({ player }: { player: Player }) {
  const off = player.muted.value;
  return (
    <button type="button" class={off ? "chip sound sound-off" : "chip sound"} onClick={() => (off ? player.unmute() : player.mute())} title={off ? say("unmuteHint") : undefined} data-testid="sound">
      {off ? <VolumeX size={16} aria-hidden="true" /> : <Volume2 size={16} aria-hidden="true" />}
      {say(off ? "unmute" : "mute")}
    </button>
  );
}

/** A reservation that waits while the sheet is closed: its time is a ring around the bag. */
function Reservation({ watching }: { watching: Watching }) {
  const purchase = watching.purchase.value;
  const order = purchase?.order.value;
  if (!purchase || !order || watching.sheetOpen.value) return null;
  const counts = order.state === "held" && order.reserved_until !== null && !calm.value;
  return (
    <button type="button" class="button button-small held-bag" onClick={() => { watching.sheetOpen.value = true; }}>
      {counts && order.reserved_until !== null ? <TimerRing from={purchase.heldFrom.value} until={order.reserved_until} label={say("cart")} /> : <ShoppingBag size={16} aria-hidden="true" />}
      <span>{sayState("state", order.state)}</span>
    </button>
  );
}
