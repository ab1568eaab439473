/** Words of the first page. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "On air", lead: "Shops show what they sell, live. You watch, ask and buy while the show runs.",
    watch: "Watch", now: "on the table now", alsoLive: "Also on air", next: "Coming up", replays: "Watch again",
    remind: "Add to calendar", reminded: "Saved as a calendar file", noneTitle: "Nobody is on air right now",
    noneText: "As soon as a show starts, its picture appears here by itself.", sold: "Sold out", previewOf: "Live preview of {title}",
    startedAt: "since {time}", endedAt: "{time}", noNext: "No show has been announced yet.", emptyReplays: "Shows that have ended can be watched again here.",
  },
  de: {
    title: "Auf Sendung", lead: "Shops zeigen live, was sie verkaufen. Du schaust zu, fragst nach und kaufst, während die Show läuft.",
    watch: "Zuschauen", now: "gerade auf dem Tisch", alsoLive: "Auch auf Sendung", next: "Demnächst", replays: "Noch einmal ansehen",
    remind: "In den Kalender", reminded: "Als Kalenderdatei gespeichert", noneTitle: "Gerade ist niemand auf Sendung",
    noneText: "Sobald eine Show beginnt, erscheint ihr Bild hier von selbst.", sold: "Ausverkauft", previewOf: "Livevorschau von {title}",
    startedAt: "seit {time}", endedAt: "{time}", noNext: "Noch ist keine Show angekündigt.", emptyReplays: "Beendete Shows kannst du hier noch einmal ansehen.",
  },
};

export const say = speaking(words);
