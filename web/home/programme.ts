/** Which shows the first page gives which place. Pure. */
import { toMs } from "../lib/time";
import type { Show } from "../lib/shapes";

/** A start that was announced and missed by more than this is no longer promised. */
const MISSED_AFTER_MS = 2 * 3_600_000;

/** A host on air comes first, then the show most people watch, then the newest. */
export function ranked(live: readonly Show[]): Show[] {
  const rank = (show: Show): number[] => [show.state === "live" && show.picture ? 1 : 0, show.viewers ?? 0, toMs(show.started_at) ?? 0];
  return [...live].sort((one, other) => {
    const [a, b] = [rank(one), rank(other)];
    const at = a.findIndex((value, place) => value !== b[place]);
    return at === -1 ? 0 : (b[at] as number) - (a[at] as number);
  });
}

/** The large tile does not jump from show to show with every viewer: it stays while its picture does. */
export function featured(live: readonly Show[], before: string | null): Show | undefined {
  return live.find((show) => show.id === before && show.picture && show.state === "live") ?? ranked(live)[0];
}

/** Announced shows, the soonest first; a draft without a time is nobody's business yet. */
export function comingUp(shows: readonly Show[], nowMs: number): Show[] {
  const start = (show: Show): number => toMs(show.starts_at) ?? -Infinity;
  return shows.filter((show) => start(show) > nowMs - MISSED_AFTER_MS).sort((one, other) => start(one) - start(other));
}
