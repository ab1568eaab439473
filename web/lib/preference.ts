/** How this viewer likes to watch: kept in the browser, for every show. */
import type { Way } from "./engine";

const WAY = "livesale.way";
const CAPTIONS = "livesale.captions";

export function keptWay(): Way {
  return kept(WAY) === "direct" ? "direct" : "mse";
}

export const keepWay = (way: Way): void => keep(WAY, way);

export const keptCaptions = (): boolean => kept(CAPTIONS) === "on";

export const keepCaptions = (on: boolean): void => keep(CAPTIONS, on ? "on" : "off");

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing for us plays as by default
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // then it holds until the page is left
  }
}
