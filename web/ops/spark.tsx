/** A sparkline of the last two minutes, and the memory it is drawn from. */
import { signal } from "@preact/signals";
import { sparkline, type Memory } from "./watchfor";

export const memory = signal<Memory>({});

export function Spark({ name }: { name: string }) {
  return <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><polyline points={sparkline(memory.value[name] ?? [])} /></svg>;
}
