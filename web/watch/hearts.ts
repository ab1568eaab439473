/** Hearts that rise over the picture: one's own at once, the others' as the hub counts them. */
import { signal } from "@preact/signals-core";

const MOST = 12; // at once: more would hide the picture
const RISE_MS = 2400;

export class Hearts {
  readonly rising = signal<number[]>([]);
  private mine = 0; // shown already, and still to come back from the hub
  private next = 0;

  async send(post: () => Promise<unknown>): Promise<void> {
    this.mine += 1;
    this.rise(1);
    await post().catch(() => { this.mine -= 1; });
  }

  heard(count: number): void {
    const own = Math.min(this.mine, count);
    this.mine -= own;
    this.rise(Math.min(count - own, MOST));
  }

  private rise(count: number): void {
    if (count === 0) return;
    const fresh = Array.from({ length: count }, () => this.next++);
    this.rising.value = [...this.rising.value, ...fresh].slice(-MOST);
    setTimeout(() => { this.rising.value = this.rising.value.filter((each) => !fresh.includes(each)); }, RISE_MS);
  }
}
