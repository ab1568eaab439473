/** Words of the orders page. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Your orders", titleCalm: "Your requests and orders", lead: "What you reserved and bought, and how far it is.", leadCalm: "What you asked for, and how far it is.", signIn: "Sign in to see your orders", empty: "Nothing here yet", emptyText: "What you reserve in a show appears here, with every step until it arrives.", toShows: "See what is on air",
    reserved: "Reserved", asked: "Guardian asked", paying: "Payment", paid: "Paid", shipped: "Shipped", arrived: "Completed", pieces: "{n} piece|{n} pieces", each: "{price} each",
    now_held: "Kept for you until {time}. After that it goes back on sale.", now_awaiting_guardian: "Your guardians decide. Until then nothing is bought and nothing is charged.", now_awaiting_payment: "The payment is under way. This page shows by itself how it ends.",
    now_paid: "Paid. The shop has your order.", now_shipped: "On its way to you.", now_completed: "All done.", now_expired: "The time was up. Nothing was charged; the pieces are back on sale.", now_cancelled: "Taken back. Nothing was charged.", now_declined: "The answer was no. Nothing was charged.", now_payment_failed: "The payment did not go through. Nothing was charged; the pieces are back on sale.", now_refunded: "Your money is on its way back to you.", now_withdrawn: "You have withdrawn from this purchase.",
    finish: "Finish the order", hide: "Close", cancel: "Cancel", bank: "Confirm with your bank", soldBy: "sold by {shop}", more: "Show older orders", sum: "Total",
  },
  de: {
    title: "Deine Bestellungen", titleCalm: "Deine Anfragen und Bestellungen", lead: "Was du reserviert und gekauft hast und wie weit es ist.", leadCalm: "Wonach du gefragt hast und wie weit es ist.", signIn: "Melde dich an, um deine Bestellungen zu sehen", empty: "Hier ist noch nichts", emptyText: "Was du in einer Show reservierst, steht hier, mit jedem Schritt bis es ankommt.", toShows: "Sieh nach, was läuft",
    reserved: "Reserviert", asked: "Eltern gefragt", paying: "Zahlung", paid: "Bezahlt", shipped: "Verschickt", arrived: "Abgeschlossen", pieces: "{n} Stück|{n} Stück", each: "je {price}",
    now_held: "Bis {time} für dich aufgehoben. Danach geht es zurück in den Verkauf.", now_awaiting_guardian: "Deine Eltern entscheiden. Bis dahin ist nichts gekauft und nichts wird abgebucht.", now_awaiting_payment: "Die Zahlung läuft. Diese Seite zeigt von selbst, wie sie ausgeht.",
    now_paid: "Bezahlt. Der Shop hat deine Bestellung.", now_shipped: "Unterwegs zu dir.", now_completed: "Alles erledigt.", now_expired: "Die Zeit war um. Es wurde nichts abgebucht; die Stücke sind wieder im Verkauf.", now_cancelled: "Zurückgenommen. Es wurde nichts abgebucht.", now_declined: "Die Antwort war Nein. Es wurde nichts abgebucht.", now_payment_failed: "Die Zahlung hat nicht geklappt. Es wurde nichts abgebucht; die Stücke sind wieder im Verkauf.", now_refunded: "Dein Geld ist auf dem Weg zurück zu dir.", now_withdrawn: "Du hast diesen Kauf widerrufen.",
    finish: "Bestellung abschließen", hide: "Schließen", cancel: "Stornieren", bank: "Bei der Bank bestätigen", soldBy: "verkauft von {shop}", more: "Ältere Bestellungen", sum: "Gesamt",
  },
};

export const say = speaking(words);
