/** What changes at the desk appears by itself: one question that the server answers when there is something to say. */
import { get } from "../lib/api";

export interface News { at: number; approvals: string[]; family: boolean }

const WAIT_S = 25;
const AGAIN_MS = 3000;

/** Asks for as long as the page is open and seen; a hidden tab asks nothing, and looks when it is seen again. */
export async function listen(changed: (news: News) => Promise<void>): Promise<never> {
  let after = 0;
  for (;;) {
    try {
      await untilSeen();
      const news = await get<News>(`/approvals/news?wait=${WAIT_S}&after=${after}`);
      after = news.at;
      if (news.approvals.length > 0 || news.family) await changed(news);
    } catch {
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

function untilSeen(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      done();
    };
    document.addEventListener("visibilitychange", look);
  });
}

/** The list with these in the place of their former selves; a new one comes first. */
export function merged<T extends { id: string }>(listed: T[], changed: T[]): T[] {
  const fresh = new Map(changed.map((one) => [one.id, one]));
  const known = new Set(listed.map((one) => one.id));
  return [...changed.filter((one) => !known.has(one.id)), ...listed.map((one) => fresh.get(one.id) ?? one)];
}
