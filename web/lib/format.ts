/** Money and time as people read them. Pure, but for the language in use. */
import { language } from "./i18n";
import type { Money, Time } from "./shapes";
import { toMs } from "./time";

const LOCALE = { de: "de-DE", en: "en-GB" };

const locale = (): string => LOCALE[language.value];

export function money(value: Money): string {
  const format = new Intl.NumberFormat(locale(), { style: "currency", currency: value.currency });
  return format.format(value.amount / 10 ** minorDigits(value.currency));
}

export function minorDigits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

export const times = (value: Money, quantity: number): Money => ({ ...value, amount: value.amount * quantity });

/** "19,90", "19.90" or "19" → 1990; null when it is no amount of money. */
export function parseAmount(text: string, currency: string): number | null {
  const digits = minorDigits(currency);
  const match = /^\s*(\d{1,9})(?:[.,](\d+))?\s*$/.exec(text);
  if (!match || (match[2] ?? "").length > digits) return null;
  return Number(match[1]) * 10 ** digits + Number((match[2] ?? "").padEnd(digits, "0") || 0);
}

/** 1990 → "19.90", for a field that someone edits. */
export function amountText(value: Money): string {
  const digits = minorDigits(value.currency);
  return (value.amount / 10 ** digits).toFixed(digits);
}

export const count = (value: number): string => new Intl.NumberFormat(locale()).format(value);

export function decimal(value: number, digits = 1): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** Date and time to the second, as a receipt needs it. */
export const toTheSecond = (time: Time): string => new Date(time).toLocaleString(locale(), { dateStyle: "long", timeStyle: "medium" });

/** 200 s → "3:20", 3,720 s → "1:02:00". */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${String(s).padStart(2, "0")}`;
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${tail}` : `${m}:${tail}`;
}

export function clockTime(time: Time | null | undefined): string {
  const ms = toMs(time);
  return ms === null ? "" : new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(ms);
}

/** 18:04:09, for lines that come by the second. */
export function secondTime(time: Time | null | undefined): string {
  const ms = toMs(time);
  return ms === null ? "" : new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);
}

export function dayAndTime(time: Time | null | undefined): string {
  const ms = toMs(time);
  if (ms === null) return "";
  return new Intl.DateTimeFormat(locale(), { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(ms);
}

export function isoTime(time: Time | null | undefined): string | undefined {
  const ms = toMs(time);
  return ms === null ? undefined : new Date(ms).toISOString();
}
