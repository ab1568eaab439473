/** Two languages: which one is spoken, and how a page's words are looked up and filled in. */
import { effect, signal } from "@preact/signals-core";

export type Language = "de" | "en";

export interface Tongues<K extends string> { en: Record<K, string>; de: Record<K, string> }

export type Speak<K extends string> = (key: K, values?: Values) => string;

type Values = Record<string, string | number>;

const REMEMBERED = "livesale.language";

export const language = signal<Language>(preferred());

export function speakLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(REMEMBERED, next);
  } catch {
    // A browser that keeps nothing for us still speaks the chosen language until the page is left.
  }
}

/** A page's dictionary as a function; TypeScript refuses a key that one of the languages lacks. */
export function speaking<K extends string>(tongues: Tongues<K>): Speak<K> {
  return (key, values) => filled(tongues[language.value][key], values, language.value);
}

/** `{name}` is replaced; `one|many` picks by `n`. */
export function filled(text: string, values: Values = {}, tongue: Language = "en"): string {
  const [one, many] = text.split("|");
  const chosen = many !== undefined && values.n !== 1 ? many : (one ?? "");
  return chosen.replace(/\{(\w+)\}/g, (_, name: string) => shown(values[name], tongue));
}

function shown(value: string | number | undefined, tongue: Language): string {
  return typeof value === "number" ? new Intl.NumberFormat(tongue).format(value) : (value ?? "");
}

export function languageOf(tags: readonly string[]): Language {
  for (const tag of tags) {
    if (tag.toLowerCase().startsWith("de")) return "de";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

function preferred(): Language {
  if (typeof window === "undefined") return "en";
  try {
    const kept = localStorage.getItem(REMEMBERED);
    if (kept === "de" || kept === "en") return kept;
  } catch {
    // Storage may be forbidden; the browser's own preference is as good.
  }
  return languageOf(navigator.languages);
}

if (typeof document !== "undefined") effect(() => { document.documentElement.lang = language.value; });
