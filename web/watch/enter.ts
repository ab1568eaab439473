/** What runs first: asks the hub for a place and opens the picture, then fetches everything there is to see. */
import { idFromPath } from "../lib/mount";
import { Watching } from "./ctrl";

export const watching = new Watching(idFromPath(location.pathname) ?? "");

watching.start();
void import("./main");
