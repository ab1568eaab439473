/** What is said beside the picture, never on it: title, on air, viewers, how live it is, sound. */
import { Eye, ShoppingBag } from "lucide-preact";
import { count } from "../lib/format";
import { TimerRing } from "../lib/pieces";
import { calm } from "../lib/session";
import { Account, Mark, Tongue } from "../lib/shell";
import { say as sayAll, sayState } from "../lib/words";
import { isOnAir } from "../lib/showstate";
import { Controls } from "./controls";
import type { Watching } from "./ctrl";
import { HowLive } from "./figures";
import { say } from "./words";

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
      {isOnAir(show.state) && <Controls watching={watching} />}
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
