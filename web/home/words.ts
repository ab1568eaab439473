/** Words of the first page. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "On air", lead: "Shops show what they sell, live. You watch, ask and buy while the show runs.",
    watch: "Watch", now: "on the table now", alsoLive: "Also on air", next: "Coming up", ended: "Recently on air", endedNote: "These shows are over; what they offered could be bought while they ran.",
    remind: "Add to calendar", reminded: "Saved", noneTitle: "Nobody is on air right now",
    noneText: "As soon as a show starts, its picture appears here by itself.", sold: "Sold out",
    startedAt: "since {time}", noNext: "No show has been announced yet.", noPicture: "no picture yet", lasted: "lasted {time}",
  },
  de: {
    title: "Auf Sendung", lead: "Shops zeigen live, was sie verkaufen. Du schaust zu, fragst nach und kaufst, während die Show läuft.",
    watch: "Zuschauen", now: "gerade auf dem Tisch", alsoLive: "Auch auf Sendung", next: "Demnächst", ended: "Zuletzt auf Sendung", endedNote: "Diese Shows sind vorbei; kaufen konnte man, während sie liefen.",
    remind: "In den Kalender", reminded: "Gespeichert", noneTitle: "Gerade ist niemand auf Sendung",
    noneText: "Sobald eine Show beginnt, erscheint ihr Bild hier von selbst.", sold: "Ausverkauft",
    startedAt: "seit {time}", noNext: "Noch ist keine Show angekündigt.", noPicture: "noch ohne Bild", lasted: "lief {time}",
  },
};

export const say = speaking(words);
