/** Which figures need a hand, and the short memory behind the sparklines. Pure. */
import type { OpsProcess, OpsShow, Overview } from "../lib/shapes";

const MEMORY = 60;
const DELAY_FELT_MS = 1000;
const CPU_FULL_PERCENT = 85;
const BITRATE_POOR_KBPS = 300;

export const isLate = (show: OpsShow): boolean => show.state === "live" && (show.media_delay_ms ?? 0) > DELAY_FELT_MS;

export const isThin = (show: OpsShow): boolean => show.state === "live" && show.bitrate_kbps !== null && show.bitrate_kbps < BITRATE_POOR_KBPS;

export const needsHand = (show: OpsShow): boolean => isLate(show) || isThin(show);

export const isHot = (process: OpsProcess): boolean => process.up && process.cpu_percent > CPU_FULL_PERCENT;

export const ordersInAll = (orders: Record<string, number>): number => Object.values(orders).reduce((sum, n) => sum + n, 0);

export const showsOnAir = (shows: readonly OpsShow[]): number => shows.filter(({ state }) => state === "live" || state === "paused").length;

/** The last minutes of each figure by name; what is no longer reported is forgotten. */
export type Memory = Record<string, number[]>;

export function remembered(memory: Memory, overview: Overview): Memory {
  const now: Record<string, number> = { viewers: overview.viewers, orders: ordersInAll(overview.orders), approvals: overview.approvals_pending, shows: showsOnAir(overview.shows) };
  for (const show of overview.shows) now[`show:${show.id}`] = show.viewers;
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, [...(memory[name] ?? []), value].slice(-MEMORY)]));
}

/** Points of a polyline in a box of 100 × 24; a flat line lies in the middle. */
export function sparkline(values: readonly number[]): string {
  if (values.length < 2) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number): number => (high === low ? 12 : 22 - ((value - low) / (high - low)) * 20);
  return values.map((value, index) => `${((index / (values.length - 1)) * 100).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}
