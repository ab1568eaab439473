/** Which figures need a hand, and the short memory behind the sparklines. Pure. */
import type { OpsProcess, OpsShow, Overview } from "../lib/shapes";

const MEMORY = 60;
/** A line that has just begun is drawn as if the box were this long, so that it does not look like a trend. */
const SHORTEST = 15;
const DELAY_FELT_MS = 1000;
const PICTURE_OLD_MS = 3000;
const CPU_FULL_PERCENT = 85;
const BITRATE_POOR_KBPS = 300;

/** What is wrong with a live show's picture; a host who has not sent one yet is waited for, not fetched. */
export type Trouble = "lost" | "frozen" | "late" | "thin";

export function troubleOf(show: OpsShow): Trouble | null {
  if (show.state !== "live") return null;
  if (show.host === "lost") return "lost";
  if (show.host !== "live") return null;
  if ((show.picture_age_ms ?? 0) > PICTURE_OLD_MS) return "frozen";
  if ((show.media_delay_ms ?? 0) > DELAY_FELT_MS) return "late";
  return show.bitrate_kbps < BITRATE_POOR_KBPS ? "thin" : null;
}

export const isOn = ({ state }: OpsShow): boolean => state === "live" || state === "paused" || state === "ending";

export const isHot = (process: OpsProcess): boolean => process.up && process.cpu_percent > CPU_FULL_PERCENT;

export const ordersInAll = (orders: Record<string, number>): number => Object.values(orders).reduce((sum, n) => sum + n, 0);

export const showsOnAir = (shows: readonly OpsShow[]): number => shows.filter(isOn).length;

/** The last minutes of each figure by name; what is no longer reported is forgotten. */
export type Memory = Record<string, number[]>;

export function remembered(memory: Memory, overview: Overview): Memory {
  const now: Record<string, number> = { viewers: overview.viewers, orders: ordersInAll(overview.orders), approvals: overview.approvals_pending, shows: showsOnAir(overview.shows) };
  for (const show of overview.shows.filter(isOn)) {
    now[`${show.id}:viewers`] = show.viewers;
    now[`${show.id}:kbps`] = show.bitrate_kbps;
    now[`${show.id}:orders`] = ordersInAll(show.orders);
  }
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, [...(memory[name] ?? []), value].slice(-MEMORY)]));
}

/** Points of a polyline in a box of 100 × 24 that ends at the right; a flat line lies in the middle. */
export function sparkline(values: readonly number[]): string {
  if (values.length < 2) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number): number => (high === low ? 12 : 22 - ((value - low) / (high - low)) * 20);
  const length = Math.max(SHORTEST, values.length);
  const first = length - values.length;
  return values.map((value, index) => `${(((first + index) / (length - 1)) * 100).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}
