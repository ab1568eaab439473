/**
 * What runs first: asks the hub for a place and opens the picture. Drawing the page takes a tenth of a second in which
 * nothing else runs, so it waits for the first fragments, which are decoded meanwhile; but not for long.
 */
import { idFromPath } from "../lib/mount";
import { Watching } from "./ctrl";

export const watching = new Watching(idFromPath(location.pathname) ?? "");

const PAGE_WITHIN_MS = 120;

watching.start();
void Promise.race([watching.mediaCame, new Promise((late) => setTimeout(late, PAGE_WITHIN_MS))]).then(() => import("./main"));
