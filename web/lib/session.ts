/** Who is looking at this page, and whether it must be calm (buyers under age). */
import { computed, effect, signal } from "@preact/signals-core";
import { get, remove } from "./api";
import { Refused } from "./refused";
import type { Me } from "./shapes";

/** undefined: not known yet; null: nobody is signed in. */
export const me = signal<Me | null | undefined>(undefined);

/** Signed in and not known to be of age: an unknown age counts as the youngest. */
export const calm = computed(() => Boolean(me.value) && me.value?.age_band !== "adult");

export const mayBuyAlone = computed(() => me.value?.age_band === "adult");

export async function loadMe(): Promise<Me | null> {
  try {
    me.value = await get<Me>("/me");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    me.value = null;
  }
  return me.value;
}

/** Nothing that was typed here stays in the tab for whoever sits down next. */
export async function signOut(): Promise<void> {
  await remove("/session").catch(() => undefined);
  try {
    sessionStorage.clear();
  } catch {
    // A browser that keeps nothing for us has nothing to forget.
  }
  location.assign("/");
}

export const signInAddress = (): string => `/login?next=${encodeURIComponent(location.pathname + location.search)}`;

/** Only a path of ours: an open redirect would make our sign-in page a phisher's tool. */
export function safeNext(query: string): string {
  const next = new URLSearchParams(query).get("next") ?? "/";
  return /^\/(?![/\\])[^\\]*$/.test(next) ? next : "/";
}

if (typeof document !== "undefined") {
  effect(() => { document.documentElement.toggleAttribute("data-calm", calm.value); });
}
