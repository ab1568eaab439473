/** What a person reads when the server says no: what happened, and what to do next. */
import { money } from "./format";
import { language, speaking } from "./i18n";
import { Refused } from "./refused";
import type { Money } from "./shapes";

export const sorry = {
  en: {
    offline: "The server cannot be reached. Check your connection; we keep what you entered.",
    store_unavailable: "The shop is catching its breath. Nothing was lost; try again in a moment.",
    in_progress: "Your first request is still running. Give it a moment.",
    rate_limited: "That was a lot in a short time. Please wait {n} seconds.",
    unauthenticated: "Please sign in first.",
    forbidden: "Your account may not do this.",
    step_up_required: "Please confirm that it is you.",
    not_found: "This is no longer here.",
    sold_out: "There are not enough pieces left.",
    short: "The shop does not have that many pieces.",
    limit_reached: "You have reached the limit for this.",
    show_not_live: "The show is not on air at the moment.",
    price_changed: "The price has changed since you looked.",
    no_delivery: "The shop does not deliver to {country}. It delivers to: {countries}.",
    coupon_unknown: "There is no such code. Please look at how it is written.",
    coupon_not_yet: "This code does not work yet. You can order without it.",
    coupon_ended: "This code has ended. You can order without it.",
    coupon_used_up: "This code has been used up. You can order without it.",
    coupon_used_by_you: "You have used this code already, or it is in another order of yours.",
    coupon_below_minimum: "The goods have to cost {minimum} or more for this code: {lacks} are missing.",
    coupon_currency: "This code is for another currency. You can order without it.",
    expired: "The reservation has expired. Nothing was charged.",
    superseded: "Something about this request has changed. Look at it again before you decide.",
    conflict: "Someone was faster, or this has changed meanwhile. Look again.",
    on_hold: "This order is on hold for now. Leave it as it is; it goes on, or ends, by itself.",
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
    step_up_required: "Bitte bestätige, dass du es bist.",
    not_found: "Das gibt es hier nicht mehr.",
    sold_out: "Es sind nicht genug Stück übrig.",
    short: "So viele Stück hat der Shop nicht.",
    limit_reached: "Hier ist die Grenze erreicht.",
    show_not_live: "Die Show ist gerade nicht auf Sendung.",
    price_changed: "Der Preis hat sich inzwischen geändert.",
    no_delivery: "Der Shop liefert nicht nach {country}. Er liefert nach: {countries}.",
    coupon_unknown: "Diesen Code gibt es nicht. Sieh bitte nach, wie er geschrieben wird.",
    coupon_not_yet: "Dieser Code gilt noch nicht. Du kannst ohne ihn bestellen.",
    coupon_ended: "Dieser Code gilt nicht mehr. Du kannst ohne ihn bestellen.",
    coupon_used_up: "Dieser Code ist aufgebraucht. Du kannst ohne ihn bestellen.",
    coupon_used_by_you: "Du hast diesen Code schon eingelöst, oder er steckt in einer anderen Bestellung von dir.",
    coupon_below_minimum: "Für diesen Code muss die Ware {minimum} oder mehr kosten: Es fehlen {lacks}.",
    coupon_currency: "Dieser Code gilt für eine andere Währung. Du kannst ohne ihn bestellen.",
    expired: "Die Reservierung ist abgelaufen. Es wurde nichts abgebucht.",
    superseded: "An dieser Anfrage hat sich etwas geändert. Sieh sie dir noch einmal an, bevor du entscheidest.",
    conflict: "Jemand war schneller, oder es hat sich etwas geändert. Sieh noch einmal nach.",
    on_hold: "Diese Bestellung ist vorerst angehalten. Lass sie, wie sie ist; sie geht von selbst weiter oder endet.",
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
  if (error.code === "no_delivery") return noDeliveryText(error);
  if (error.code === "coupon_refused") return couponText(error);
  if (error.code in sorry.en) return speak(error.code as Reason);
  return error.detail || speak("broken");
}

/** What only the server knows about a refusal, in its own words; nothing when ours already say it all. */
export const detailOf = (error: unknown): string =>
  error instanceof Refused && ["forbidden", "limit_reached", "conflict"].includes(error.code) ? error.detail : "";

function noDeliveryText(refused: Refused): string {
  const told = refused.errors[0];
  const names = new Intl.DisplayNames([language.value], { type: "region" });
  const name = (code: unknown): string => names.of(String(code)) ?? String(code);
  const countries = Array.isArray(told?.countries) ? told.countries.map(name).join(", ") : "";
  return speak("no_delivery", { country: name(told?.country), countries: countries || "–" });
}

/** A reason the server added later is told in its own words. */
function couponText(refused: Refused): string {
  const told = refused.errors[0];
  const reason = `coupon_${String(told?.reason)}`;
  if (!(reason in sorry.en)) return refused.detail;
  const [minimum, lacks] = [told?.minimum, told?.lacks].map((one) => (one ? money(one as Money) : ""));
  return speak(reason as Reason, { minimum: minimum ?? "", lacks: lacks ?? "" });
}

/** The server's own sentences name the field; ours only leads to them. */
function invalidText(refused: Refused): string {
  const faults = refused.errors.map((fault) => fault.detail).filter(Boolean);
  return [speak("invalid"), ...faults].join(" ");
}
