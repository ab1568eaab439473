/** Words of the guardian's page: neutral, complete, nothing urges. */
import { speaking } from "../lib/i18n";

export const words = {
  en: {
    title: "Requests", titleMinor: "Your requests", lead: "Someone you look after would like to buy something. You decide; nothing is charged before.", leadMinor: "What you asked for, and who decides about it.",
    signIn: "Sign in to answer", signInText: "Requests can only be answered by a guardian who is signed in.", none: "Nothing waits for you", noneText: "When someone you look after asks for something, it appears here by itself.",
    asks: "{name} asks for", total: "In all", madeOf: "Includes", seller: "Sold by", goesTo: "Goes to", until: "Open until", pieces: "{n} piece|{n} pieces",
    approveMeans: "and pay {total}", declineMeans: "nothing is charged", askedText: "Nothing is bought and nothing is charged before your guardians have agreed. They see your request on their page.", more: "Also waiting for you", moreMinor: "You also asked for", look: "Look", noneMinor: "No open request", noneMinorText: "When you ask for something in a show, it appears here until your guardians have answered.", decideFor: "You decide for {name}", decidedBy: "{name} decides about your requests", approve: "Approve", decline: "Decline", payWith: "How you pay", rules: "What approving means", rulesText: "You become bound to this purchase exactly as listed here, and your payment method is charged. If price, items, seller or address change, the request becomes void and you are asked again. You can withdraw within 14 days without a reason. If you do not answer, the request ends by itself and nothing is charged.",
    stepUp: "Is it you?", withPasskey: "Use a passkey", stepUpText: "Please enter your password. It stays valid for ten minutes.", password: "Password", wrong: "That password is not right.",
    changed: "This request has changed since you opened it", lookAgain: "Show it as it is now", approved: "Approved", approvedText: "The order is being paid with your payment method. {name} is told.", declined: "Declined", declinedText: "{name} gets a neutral answer. Nothing is charged.",
    state_requested: "Waiting for you", state_approved: "Approved", state_consumed: "Approved", state_declined: "Declined", state_expired: "Ended by itself", state_cancelled: "Taken back", state_superseded: "Replaced", state_void: "No longer possible", state_revoked: "Taken back by you", state_lapsed: "Ended by itself",
    earlier: "Earlier requests", family: "Family links", noLinks: "No family links yet.", verified: "verified", notVerified: "not verified yet",
    youAsked: "You asked for", heldUntil: "Kept for you until {time}", notHeld: "The items are no longer kept for you. You can still agree; it is bought if there are any left.", extend: "Keep for 15 minutes more", revoke: "Take consent back", revokeMeans: "It is being paid. Until that is done you can take your consent back; afterwards you can withdraw within 14 days.",
  },
  de: {
    title: "Anfragen", titleMinor: "Deine Anfragen", lead: "Jemand, für den du sorgst, möchte etwas kaufen. Du entscheidest; vorher wird nichts abgebucht.", leadMinor: "Wonach du gefragt hast und wer darüber entscheidet.",
    signIn: "Zum Antworten anmelden", signInText: "Anfragen kann nur beantworten, wer als Elternteil angemeldet ist.", none: "Nichts wartet auf dich", noneText: "Fragt jemand, für den du sorgst, nach etwas, steht es hier von selbst.",
    asks: "{name} fragt nach", total: "Zusammen", madeOf: "Darin", seller: "Verkauft von", goesTo: "Geht an", until: "Offen bis", pieces: "{n} Stück|{n} Stück",
    approveMeans: "und {total} zahlen", declineMeans: "nichts wird abgebucht", askedText: "Bevor deine Eltern zustimmen, ist nichts gekauft und nichts wird abgebucht. Sie sehen deine Anfrage auf ihrer Seite.", more: "Wartet auch auf dich", moreMinor: "Du hast auch gefragt nach", look: "Ansehen", noneMinor: "Keine offene Anfrage", noneMinorText: "Fragst du in einer Show nach etwas, steht es hier, bis deine Eltern geantwortet haben.", decideFor: "Du entscheidest für {name}", decidedBy: "{name} entscheidet über deine Anfragen", approve: "Zustimmen", decline: "Ablehnen", payWith: "Wie du bezahlst", rules: "Was Zustimmen bedeutet", rulesText: "Du bist an genau diesen Kauf gebunden, und dein Zahlungsmittel wird belastet. Ändern sich Preis, Artikel, Verkäufer oder Adresse, wird die Anfrage ungültig und du wirst neu gefragt. Du kannst 14 Tage lang ohne Grund widerrufen. Antwortest du nicht, endet die Anfrage von selbst und nichts wird abgebucht.",
    stepUp: "Bist du es?", withPasskey: "Passkey benutzen", stepUpText: "Bitte gib dein Passwort ein. Es gilt dann zehn Minuten.", password: "Passwort", wrong: "Das Passwort stimmt nicht.",
    changed: "Diese Anfrage hat sich geändert, seit du sie geöffnet hast", lookAgain: "Zeigen, wie sie jetzt ist", approved: "Zugestimmt", approvedText: "Die Bestellung wird mit deinem Zahlungsmittel bezahlt. {name} erfährt es.", declined: "Abgelehnt", declinedText: "{name} bekommt eine neutrale Antwort. Es wird nichts abgebucht.",
    state_requested: "Wartet auf dich", state_approved: "Zugestimmt", state_consumed: "Zugestimmt", state_declined: "Abgelehnt", state_expired: "Von selbst beendet", state_cancelled: "Zurückgenommen", state_superseded: "Ersetzt", state_void: "Nicht mehr möglich", state_revoked: "Von dir zurückgenommen", state_lapsed: "Von selbst beendet",
    earlier: "Frühere Anfragen", family: "Familie", noLinks: "Noch keine Verbindungen.", verified: "geprüft", notVerified: "noch nicht geprüft",
    youAsked: "Du hast gefragt nach", heldUntil: "Zurückgelegt bis {time}", notHeld: "Die Artikel sind nicht mehr zurückgelegt. Du kannst trotzdem zustimmen; gekauft wird, wenn noch welche da sind.", extend: "15 Minuten länger zurücklegen", revoke: "Zustimmung zurücknehmen", revokeMeans: "Die Zahlung läuft. Bis sie fertig ist, kannst du deine Zustimmung zurücknehmen; danach kannst du 14 Tage lang widerrufen.",
  },
};

export const say = speaking(words);

/** A state the server adds later is shown by its own name. */
export function sayRequestState(state: string): string {
  const key = `state_${state}`;
  return key in words.en ? say(key as keyof (typeof words)["en"]) : state;
}
