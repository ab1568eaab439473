/** Words of the orders page. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Your orders", titleCalm: "Your requests", lead: "What you reserved, bought and sent back.", signIn: "Sign in to see your orders", empty: "Nothing ordered yet", emptyText: "What you reserve in a show appears here, with every step until it arrives.", toShows: "See what is on air",
    reserved: "Reserved", asked: "Guardian asked", paying: "Payment", paid: "Paid", shipped: "Shipped", arrived: "Completed", heldUntil: "held until {time}", pieces: "{n} piece|{n} pieces",
    finish: "Finish the order", hide: "Close", cancel: "Cancel", cancelled: "Cancelled", withdraw: "Withdraw from contract here", withdrawTitle: "Withdraw from this purchase?", withdrawText: "You have 14 days and need no reason. Send the goods back within 14 days after that; we refund what you paid.", withdrawConfirm: "Confirm withdrawal now", keep: "Keep it", withdrawn: "Your withdrawal has been received. A receipt is on its way by e-mail.",
    bank: "Confirm with your bank", soldBy: "sold by {shop}", ordered: "from {time}", number: "Order {id}", more: "Show older orders", sum: "Total", reason: "Reason: {reason}",
  },
  de: {
    title: "Deine Bestellungen", titleCalm: "Deine Anfragen", lead: "Was du reserviert, gekauft und zurückgegeben hast.", signIn: "Melde dich an, um deine Bestellungen zu sehen", empty: "Noch nichts bestellt", emptyText: "Was du in einer Show reservierst, steht hier, mit jedem Schritt bis es ankommt.", toShows: "Sieh nach, was läuft",
    reserved: "Reserviert", asked: "Eltern gefragt", paying: "Zahlung", paid: "Bezahlt", shipped: "Verschickt", arrived: "Abgeschlossen", heldUntil: "reserviert bis {time}", pieces: "{n} Stück|{n} Stück",
    finish: "Bestellung abschließen", hide: "Schließen", cancel: "Stornieren", cancelled: "Storniert", withdraw: "Vertrag widerrufen", withdrawTitle: "Diesen Kauf widerrufen?", withdrawText: "Du hast 14 Tage Zeit und brauchst keinen Grund. Schick die Ware danach innerhalb von 14 Tagen zurück; wir erstatten, was du bezahlt hast.", withdrawConfirm: "Widerruf bestätigen", keep: "Behalten", withdrawn: "Dein Widerruf ist eingegangen. Die Bestätigung kommt per E-Mail.",
    bank: "Bei der Bank bestätigen", soldBy: "verkauft von {shop}", ordered: "vom {time}", number: "Bestellung {id}", more: "Ältere Bestellungen", sum: "Gesamt", reason: "Grund: {reason}",
  },
};

export const say = speaking(words);
