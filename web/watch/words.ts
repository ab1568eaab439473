/** Words of the watch page. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    watch: "Watch", offAir: "Off air", behind: "{s} s behind live", connecting: "Connecting…", reconnecting: "Reconnecting…",
    figures: "How live is this?", figBehind: "Behind the studio", figBuffer: "Buffered", figTarget: "Aim", figRate: "Speed", figStalls: "Stalls", figSeeks: "Jumps", figDropped: "Pictures dropped",
    unmute: "Sound on", mute: "Sound off", unmuteHint: "Your browser starts without sound",
    picture: "Live picture of {title}",
    waitingPicture: "The picture is on its way", waitingPictureNote: "The host is on air; every offer below can already be bought.",
    paused: "Short break", pausedNote: "The show goes on in a moment. Offers stay open.",
    endedTitle: "This show is over", endedNote: "Thank you for watching. Your orders are safe under My orders.", soon: "Starts {time}", soonNote: "Stay here: the picture appears by itself.",
    notYet: "Not on air yet", lost: "We lost the line to the studio", lostNote: "Reconnecting by itself. Offers and prices are current as soon as the line is back.",
    refusedNote: "This page may not join from here.", rejoin: "Join again", noMse: "This browser cannot play the live picture. You can still see and buy every offer.",
    nothingPinned: "Nothing on the table yet", nothingPinnedNote: "The next product appears here together with the picture.",
    onAirSince: "on air for {time}", chosen: "Picked by you", backToAir: "Back to what is on air", alsoOnAir: "Also on air",
    left: "left", available: "Available", untracked: "In stock", soldOut: "Sold out",
    buy: "Buy now", request: "Send request", buyMore: "Quantity", more: "One more", fewer: "One less",
    dealIn: "Flash deal in {time}", dealOn: "Flash deal, {time} left", after: "{price} afterwards", reference: "Lowest price of the last 30 days: {price}", total: "{price} for {n}",
    perBuyer: "At most {n} per person", rail: "Running order", offers: "All offers", showOffers: "Show all offers", hideOffers: "Hide the offers", now: "now",
    chat: "Chat", chatPlaceholder: "Say something", send: "Send", chatEmpty: "Say hello; the host reads along.", signInToChat: "Sign in to join in", you: "you",
    saleOver: "Sold during the show only.", saleLater: "On sale as soon as the show starts.", heart: "Send a heart", cart: "Your reservation", replay: "Recording", chapters: "Chapters", moreShows: "What else is on",
  },
  de: {
    watch: "Zuschauen", offAir: "Nicht auf Sendung", behind: "{s} s hinter live", connecting: "Verbindet …", reconnecting: "Verbindet neu …",
    figures: "Wie live ist das?", figBehind: "Hinter dem Studio", figBuffer: "Im Puffer", figTarget: "Ziel", figRate: "Tempo", figStalls: "Stockungen", figSeeks: "Sprünge", figDropped: "Verlorene Bilder",
    unmute: "Ton an", mute: "Ton aus", unmuteHint: "Dein Browser startet ohne Ton",
    picture: "Livebild von {title}",
    waitingPicture: "Das Bild ist unterwegs", waitingPictureNote: "Die Sendung läuft; jedes Angebot kann schon gekauft werden.",
    paused: "Kurze Pause", pausedNote: "Gleich geht es weiter. Die Angebote bleiben offen.",
    endedTitle: "Diese Show ist zu Ende", endedNote: "Danke fürs Zuschauen. Deine Bestellungen findest du unter Meine Bestellungen.", soon: "Beginnt {time}", soonNote: "Bleib hier: Das Bild erscheint von selbst.",
    notYet: "Noch nicht auf Sendung", lost: "Die Leitung zum Studio ist weg", lostNote: "Wir verbinden von selbst neu. Angebote und Preise stimmen, sobald die Leitung steht.",
    refusedNote: "Von hier aus darf diese Seite nicht zuschauen.", rejoin: "Neu verbinden", noMse: "Dieser Browser kann das Livebild nicht zeigen. Sehen und kaufen kannst du trotzdem jedes Angebot.",
    nothingPinned: "Noch liegt nichts auf dem Tisch", nothingPinnedNote: "Das nächste Produkt erscheint hier zusammen mit dem Bild.",
    onAirSince: "seit {time} auf Sendung", chosen: "Von dir ausgewählt", backToAir: "Zurück zur Sendung", alsoOnAir: "Auch auf Sendung",
    left: "übrig", available: "Verfügbar", untracked: "Auf Lager", soldOut: "Ausverkauft",
    buy: "Jetzt kaufen", request: "Anfrage senden", buyMore: "Menge", more: "Eins mehr", fewer: "Eins weniger",
    dealIn: "Blitzangebot in {time}", dealOn: "Blitzangebot, noch {time}", after: "danach {price}", reference: "Niedrigster Preis der letzten 30 Tage: {price}", total: "{price} für {n}",
    perBuyer: "Höchstens {n} pro Person", rail: "Ablauf", offers: "Alle Angebote", showOffers: "Alle Angebote zeigen", hideOffers: "Angebote verbergen", now: "jetzt",
    chat: "Chat", chatPlaceholder: "Sag etwas", send: "Senden", chatEmpty: "Sag hallo, der Host liest mit.", signInToChat: "Anmelden und mitreden", you: "du",
    saleOver: "Nur während der Show zu haben.", saleLater: "Zu haben, sobald die Show beginnt.", heart: "Ein Herz senden", cart: "Deine Reservierung", replay: "Aufzeichnung", chapters: "Kapitel", moreShows: "Was sonst noch läuft",
  },
};

export const say = speaking(words);
