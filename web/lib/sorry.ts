/** What a person reads when the server says no: what happened, and what to do next. */
import { speaking } from "./i18n";
import { Refused } from "./refused";

export const sorry = {
  en: {
    offline: "The server cannot be reached. Check your connection; we keep what you entered.",
    store_unavailable: "The shop is catching its breath. Nothing was lost; try again in a moment.",
    in_progress: "Your first request is still running. Give it a moment.",
    rate_limited: "That was a lot in a short time. Please wait {n} seconds.",
    unauthenticated: "Please sign in first.",
    forbidden: "Your account may not do this.",
    step_up_required: "Please confirm with your password that it is you.",
    not_found: "This is no longer here.",
    sold_out: "There are not enough pieces left.",
    short: "The shop does not have that many pieces.",
    limit_reached: "You have reached the limit for this.",
    show_not_live: "The show is not on air at the moment.",
    price_changed: "The price has changed since you looked.",
    expired: "The reservation has expired. Nothing was charged.",
    superseded: "Something about this request has changed. Look at it again before you decide.",
    conflict: "Someone was faster, or this has changed meanwhile. Look again.",
    too_large: "That is too large.",
    idempotency_key_reused: "This was already sent with different contents. Start again.",
    invalid: "Something in the form is not right yet.",
    broken: "Something went wrong on our side. Try again; nothing is done twice.",
  },
  de: {
    offline: "Der Server ist nicht erreichbar. Prüfe deine Verbindung; deine Eingaben bleiben stehen.",
    store_unavailable: "Der Shop holt kurz Luft. Nichts ist verloren; versuch es gleich noch einmal.",
    in_progress: "Deine erste Anfrage läuft noch. Einen Moment bitte.",
    rate_limited: "Das war sehr viel in kurzer Zeit. Bitte warte {n} Sekunden.",
    unauthenticated: "Bitte melde dich zuerst an.",
    forbidden: "Dein Konto darf das nicht.",
    step_up_required: "Bitte bestätige mit deinem Passwort, dass du es bist.",
    not_found: "Das gibt es hier nicht mehr.",
    sold_out: "Es sind nicht genug Stück übrig.",
    short: "So viele Stück hat der Shop nicht.",
    limit_reached: "Hier ist die Grenze erreicht.",
    show_not_live: "Die Show ist gerade nicht auf Sendung.",
    price_changed: "Der Preis hat sich inzwischen geändert.",
    expired: "Die Reservierung ist abgelaufen. Es wurde nichts abgebucht.",
    superseded: "An dieser Anfrage hat sich etwas geändert. Sieh sie dir noch einmal an, bevor du entscheidest.",
    conflict: "Jemand war schneller, oder es hat sich etwas geändert. Sieh noch einmal nach.",
    too_large: "Das ist zu groß.",
    idempotency_key_reused: "Das wurde schon mit anderem Inhalt gesendet. Fang bitte neu an.",
    invalid: "Im Formular stimmt etwas noch nicht.",
    broken: "Bei uns ist etwas schiefgegangen. Versuch es noch einmal; nichts geschieht doppelt.",
  },
};

type Reason = keyof (typeof sorry)["en"];

const speak = speaking<Reason>(sorry);

export function sorryFor(error: unknown): string {
  if (!(error instanceof Refused)) return speak("broken");
  if (error.code === "rate_limited") return speak("rate_limited", { n: error.retryAfterS ?? 10 });
  if (error.code === "invalid") return invalidText(error);
  if (error.code in sorry.en) return speak(error.code as Reason);
  return error.detail || speak("broken");
}

/** What only the server knows about a refusal, in its own words; nothing when ours already say it all. */
export const detailOf = (error: unknown): string =>
  error instanceof Refused && ["forbidden", "limit_reached", "conflict"].includes(error.code) ? error.detail : "";

/** The server's own sentences name the field; ours only leads to them. */
function invalidText(refused: Refused): string {
  const faults = refused.errors.map((fault) => fault.detail).filter(Boolean);
  return [speak("invalid"), ...faults].join(" ");
}
