/** How evenly fragments come: each one's lateness against the quickest of the last seconds. Pure. */

/** Eight seconds of thirty pictures: a moment long enough to hold a bad one, short enough to follow a clock that drifts. */
const KEPT = 240;
/** Fewer say nothing yet. */
const FEWEST = 15;
/** What is later than that was not on an uneven line: the page stood still, or the line was gone. */
const OUTAGE_MS = 1000;

export class Arrivals {
  private offsets: number[] = [];
  private at = 0;

  /** `timeMs`: media time of what arrived, `nowMs`: when. */
  came(timeMs: number, nowMs: number): void {
    const quickest = this.quickestMs();
    if (quickest !== null && nowMs - timeMs - quickest > OUTAGE_MS) return;
    this.offsets[this.at] = nowMs - timeMs;
    this.at = (this.at + 1) % KEPT;
  }

  /** How late `share` of all that came was at most, in ms, against the quickest; null before there is enough to tell. */
  lateMs(share: number): number | null {
    const { offsets } = this;
    if (offsets.length < FEWEST) return null;
    const sorted = [...offsets].sort((one, other) => one - other);
    return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number) - (sorted[0] as number);
  }

  /** Now less media time of the quickest one; null before anything came. */
  quickestMs(): number | null {
    return this.offsets.length === 0 ? null : Math.min(...this.offsets);
  }

  /** Another timeline, or a while without any: what was learned is of another line. */
  forget(): void {
    this.offsets = [];
    this.at = 0;
  }
}
