/** Words that every page uses. */
import { speaking } from "./i18n";

export const words = {
  en: {
    home: "On air", orders: "Orders", studio: "Studio", guardian: "Guardian", ops: "Operations",
    signIn: "Sign in", signOut: "Sign out", account: "Account", language: "Language", toContent: "Skip to content", mainMenu: "Main menu",
    onAir: "On air", viewers: "{n} viewer|{n} viewers", loading: "Loading…", retry: "Try again", close: "Close", back: "Back",
    slow: "This takes longer than usual. Still trying.",
    previewOf: "Live preview of {title}",
    code: "Code from the mail", codeNote: "We have just mailed you six digits. They are good for 10 minutes.", codeAnew: "Nothing came",
    proof: "Is it you?", proofPasskey: "Use a passkey", proofText: "Please enter your password; we mail you a code. Both together are good for ten minutes.", proofPassword: "Password", proofWrongCode: "That is not the code, or it is too old.", proofWrong: "That password is not right.", proofGoOn: "Continue",
    cannotTitle: "That did not work",
    state_held: "Held for you", state_awaiting_guardian: "Awaiting guardian", state_awaiting_payment: "Awaiting payment",
    state_paid: "Paid", state_shipped: "Shipped", state_completed: "Completed", state_expired: "Expired",
    state_cancelled: "Cancelled", state_declined: "Declined", state_payment_failed: "Payment failed",
    state_refunded: "Refunded", state_withdrawn: "Withdrawn",
    show_draft: "Draft", show_scheduled: "Scheduled", show_live: "On air", show_paused: "Paused", show_ended: "Ended", show_cancelled: "Cancelled",
  },
  de: {
    home: "Auf Sendung", orders: "Bestellungen", studio: "Studio", guardian: "Eltern", ops: "Betrieb",
    signIn: "Anmelden", signOut: "Abmelden", account: "Konto", language: "Sprache", toContent: "Zum Inhalt springen", mainMenu: "Hauptmenü",
    onAir: "Auf Sendung", viewers: "{n} schaut zu|{n} schauen zu", loading: "Wird geladen …", retry: "Noch einmal versuchen", close: "Schließen", back: "Zurück",
    slow: "Das dauert länger als sonst. Wir versuchen es weiter.",
    previewOf: "Livevorschau von {title}",
    code: "Code aus der Mail", codeNote: "Wir haben dir gerade sechs Ziffern gemailt. Sie gelten 10 Minuten.", codeAnew: "Nichts angekommen",
    proof: "Bist du es?", proofPasskey: "Passkey benutzen", proofText: "Bitte gib dein Passwort ein; wir mailen dir einen Code. Beides zusammen gilt zehn Minuten.", proofPassword: "Passwort", proofWrongCode: "Das ist nicht der Code, oder er ist zu alt.", proofWrong: "Das Passwort stimmt nicht.", proofGoOn: "Weiter",
    cannotTitle: "Das hat nicht geklappt",
    state_held: "Für dich reserviert", state_awaiting_guardian: "Wartet auf die Eltern", state_awaiting_payment: "Wartet auf Zahlung",
    state_paid: "Bezahlt", state_shipped: "Verschickt", state_completed: "Abgeschlossen", state_expired: "Abgelaufen",
    state_cancelled: "Storniert", state_declined: "Abgelehnt", state_payment_failed: "Zahlung fehlgeschlagen",
    state_refunded: "Erstattet", state_withdrawn: "Widerrufen",
    show_draft: "Entwurf", show_scheduled: "Angekündigt", show_live: "Auf Sendung", show_paused: "Pause", show_ended: "Beendet", show_cancelled: "Abgesagt",
  },
};

export type Word = keyof (typeof words)["en"];

export const say = speaking<Word>(words);

/** A state the server added later is shown by its own name rather than not at all. */
export function sayState(prefix: "state" | "show", state: string): string {
  const key = `${prefix}_${state}`;
  return key in words.en ? say(key as Word) : state.replaceAll("_", " ");
}
