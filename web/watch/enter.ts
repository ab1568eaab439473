/**
 * What runs first: asks the hub for a place and opens the picture, at the place index.html keeps for it. The page around
 * it comes afterwards: fetching and drawing it takes longer than all the rest, and a picture does not need it.
 */
import "../lib/tokens.css";
import "../lib/controls.css";
import { idFromPath } from "../lib/path";
import { askTicket } from "../lib/ticket";
import { Watching } from "./ctrl";
import "./watch.css";

const show = idFromPath(location.pathname) ?? "";
const ticket = askTicket(show); // before all else: what follows runs while it is under way
export const watching = new Watching(show, ticket);

/** A picture that is not here by then does not keep the page waiting: its files first, then itself. */
const FILES_WITHIN_MS = 300;
const PAGE_WITHIN_MS = 400;

watching.start();
whenParsed(() => document.querySelector(".picture-screen")?.append(watching.video));
void shownWithin(FILES_WITHIN_MS).then(() => {
  for (const link of document.querySelectorAll<HTMLLinkElement>("link[data-later]")) link.rel = link.dataset.later ?? "";
});
void shownWithin(PAGE_WITHIN_MS).then(() => import("./main"));

function shownWithin(ms: number): Promise<void> {
  return Promise.race([watching.shown, new Promise<void>((late) => setTimeout(late, ms))]);
}

function whenParsed(act: () => void): void {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act, { once: true });
  else act();
}
