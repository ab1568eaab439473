/** A place at a hub: asked for as often as needed, and with each answer the server's time. */
import { ask } from "./api";
import { setServerTime } from "./clock";
import type { Ticket } from "./shapes";
import { toMs } from "./time";

export async function askTicket(show: string): Promise<Ticket> {
  const path = `/shows/${encodeURIComponent(show)}/ticket`;
  const asked = performance.now();
  const ticket = await ask<Ticket>(path);
  const { from, until } = onTheLine(path) ?? { from: asked, until: performance.now() };
  setServerTime(toMs(ticket.now) ?? Date.now(), until - from, performance.now() - until);
  return ticket;
}

/** When the request left and its answer was here, as the browser saw it: a page that is being drawn sees it later. */
function onTheLine(path: string): { from: number; until: number } | null {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const entry = entries.findLast(({ name, responseStart }) => name.endsWith(path) && responseStart > 0);
  return entry ? { from: entry.requestStart, until: entry.responseStart } : null;
}
