/** The studio: a list of one's shows, or the control room of one. */
import { mount } from "../lib/mount";
import { idFromPath } from "../lib/path";
import { Studio } from "./ctrl";
import { loadShows, ShowList } from "./list";
import { Room } from "./room";
import "./studio.css";
import { say } from "./words";

const show = idFromPath(location.pathname);

if (show) {
  const studio = new Studio(show);
  studio.start();
  mount(() => <Room studio={studio} />, () => studio.known.value?.show.title ?? say("title"));
} else {
  loadShows();
  mount(ShowList, () => say("title"));
}
