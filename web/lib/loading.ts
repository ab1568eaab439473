/** A value that comes from the server, with its loading and its failure, as one signal. */
import { signal, type Signal } from "@preact/signals-core";

export type Loaded<T> = { kind: "loading" } | { kind: "here"; value: T } | { kind: "failed"; error: unknown };

export interface Source<T> { state: Signal<Loaded<T>>; load: () => Promise<void> }

/** A reload keeps what is on screen until the new answer is here; a failed reload does not take it away. */
export function source<T>(fetching: () => Promise<T>): Source<T> {
  const state = signal<Loaded<T>>({ kind: "loading" });
  const load = async (): Promise<void> => {
    if (state.value.kind === "failed") state.value = { kind: "loading" };
    try {
      state.value = { kind: "here", value: await fetching() };
    } catch (error) {
      if (state.value.kind !== "here") state.value = { kind: "failed", error };
    }
  };
  return { state, load };
}

/** Calls again and again while the page is seen; a hidden tab asks for nothing. */
export function everyWhileSeen(ms: number, act: () => void): () => void {
  const timer = setInterval(() => { if (!document.hidden) act(); }, ms);
  return () => clearInterval(timer);
}
