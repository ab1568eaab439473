/** When a decoded picture is shown: as soon as it is there, but evenly. Pure. */
import { Arrivals } from "../arrivals";

/** Half of them later than the beat and shown at once: waiting for nine in ten cost 40 ms for a smoothness no eye saw (FRAGMENTS.md). */
const EVEN_FOR = 0.5;
/** A worse line gets an uneven picture: who wants it even takes the buffered way. */
const LONGEST_WAIT_MS = 150;
/** Later than this against the beat means another line or a page that stood still: the beat is learned anew. */
const ANOTHER_BEAT_MS = 1000;

export class Pace {
  private readonly arrivals = new Arrivals();

  /** A picture of media time `timeMs` is decoded: how long it waits. */
  waitMs(timeMs: number, nowMs: number): number {
    const quickest = this.arrivals.quickestMs();
    if (quickest !== null && Math.abs(nowMs - timeMs - quickest) > ANOTHER_BEAT_MS) this.arrivals.forget();
    this.arrivals.came(timeMs, nowMs);
    const beat = (this.arrivals.quickestMs() as number) + this.evenMs();
    return Math.max(0, timeMs + beat - nowMs);
  }

  /** How long the quickest picture waits so that the others are no later than it. */
  evenMs(): number {
    return Math.min(LONGEST_WAIT_MS, this.arrivals.lateMs(EVEN_FOR) ?? 0);
  }

  jitterMs(): number {
    return this.arrivals.lateMs(0.95) ?? 0;
  }
}
