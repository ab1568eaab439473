/** A show as a calendar file (RFC 5545): a reminder that needs no account and no mail. Pure. */
import { toMs } from "../lib/time";
import type { Show } from "../lib/shapes";

const SHOW_LASTS_MS = 3_600_000;

export function calendarOf(show: Show, origin: string, now: number): string {
  const start = toMs(show.starts_at) ?? now;
  return [
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//livesale//show//EN", "BEGIN:VEVENT",
    `UID:show-${show.id}@livesale`, `DTSTAMP:${stamp(now)}`, `DTSTART:${stamp(start)}`, `DTEND:${stamp(start + SHOW_LASTS_MS)}`,
    `SUMMARY:${escaped(show.title)}`, `URL:${origin}/watch/${show.id}`,
    "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT10M", `DESCRIPTION:${escaped(show.title)}`, "END:VALARM",
    "END:VEVENT", "END:VCALENDAR", "",
  ].join("\r\n");
}

const stamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "");

const escaped = (text: string): string => text.replace(/[\\;,]/g, (sign) => `\\${sign}`).replace(/\r?\n/g, "\\n");
