import type { Signal } from "@preact/signals-core";

/** One act at a time; what refuses it is kept. The button stays enabled: one that is disabled loses the keyboard's focus. */
export async function doing(busy: Signal<boolean>, refusal: Signal<unknown>, act: () => Promise<void>): Promise<void> {
  if (busy.value) return;
  busy.value = true;
  refusal.value = null;
  try {
    await act();
  } catch (error) {
    refusal.value = error;
  } finally {
    busy.value = false;
  }
}
