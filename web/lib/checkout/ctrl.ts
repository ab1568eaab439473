/** One purchase from Buy to its end: holds the state, asks the server, never invents a price or a deadline. */
import { signal } from "@preact/signals-core";
import { get, newKey, post, remove } from "../api";
import { serverNow } from "../clock";
import { toMs } from "../time";
import { Refused } from "../refused";
import type { Money, Order, Payment, ShipTo } from "../shapes";
import { newer, phaseOf } from "./steps";

/** `shelf`: whose pieces they are, as its address begins: a show's, or the shop's once the show is over. */
export interface Wish { shelf: `/shows/${string}` | `/shops/${string}`; offer: string; title: string; image: string | null; quantity: number; price: Money }

export type Busy = "reserving" | "sending" | "cancelling" | "pricing" | null;

const LOOK_EVERY_MS = 2000;

export class Purchase {
  readonly order = signal<Order | null>(null);
  readonly refusal = signal<unknown>(null);
  /** Why a coupon's code did not work: said beside its field. */
  readonly codeRefusal = signal<unknown>(null);
  readonly busy = signal<Busy>(null);
  readonly heldFrom = signal(0);
  private sendKey = newKey();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(public wish: Wish, order: Order | null = null) {
    if (order) this.hold(order);
  }

  /** Takes the pieces off the shelf for ten minutes; `change` is what the buyer accepted after a refusal. */
  async reserve(change: Partial<Wish> = {}): Promise<void> {
    this.wish = { ...this.wish, ...change };
    const { shelf, offer, quantity, price } = this.wish;
    await this.during("reserving", async () => {
      this.order.value = null;
      this.hold(await post<Order>(`${shelf}/orders`, { lines: [{ offer, quantity, price }] }));
    });
  }

  /** Until the server has answered, every press of the button is the same request. */
  async send(shipTo: ShipTo, payment: Payment | null): Promise<void> {
    const order = this.order.value;
    if (!order) return;
    await this.during("sending", async () => {
      const body = { ship_to: shipTo, price_total: order.total, ...(payment ? { payment } : {}) };
      const answer = await post<Order>(`/orders/${order.id}/checkout`, body, { key: this.sendKey });
      this.take({ ...order, ...answer });
    });
    this.sendKey = newKey();
    if (this.refusal.value instanceof Refused && this.refusal.value.code === "price_changed") await this.look();
  }

  async useCode(code: string): Promise<void> {
    await this.reprice((order) => post<Order>(`/orders/${order.id}/coupon`, { code }));
  }

  async dropCode(): Promise<void> {
    await this.reprice((order) => remove<Order>(`/orders/${order.id}/coupon`));
  }

  async cancel(): Promise<void> {
    const order = this.order.value;
    if (!order) return;
    await this.during("cancelling", async () => this.take({ ...order, ...(await post<Order>(`/orders/${order.id}/cancel`)) }));
  }

  /** The hub said that an order changed. */
  heard(id: string, version: number): void {
    const order = this.order.value;
    if (order?.id === id && version > order.version) void this.look();
  }

  async look(): Promise<void> {
    const order = this.order.value;
    if (!order) return;
    const now = await get<Order>(`/orders/${order.id}`).catch(() => null);
    if (now) this.take(now);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private hold(order: Order): void {
    this.heldFrom.value = serverNow();
    this.take(order);
    clearInterval(this.timer);
    this.timer = setInterval(() => void this.tend(), LOOK_EVERY_MS);
  }

  private take(order: Order): void {
    this.order.value = newer(this.order.value, order);
  }

  /** While something is pending elsewhere (a bank, a guardian, a deadline) the page asks, in case the hub is away. */
  private async tend(): Promise<void> {
    const order = this.order.value;
    if (!order || document.hidden) return;
    const late = (toMs(order.reserved_until) ?? Infinity) < serverNow();
    const phase = phaseOf(order.state);
    if (phase === "waiting" || (phase === "open" && late)) await this.look();
  }

  private async reprice(act: (order: Order) => Promise<Order>): Promise<void> {
    const order = this.order.value;
    if (!order) return;
    await this.during("pricing", async () => this.take({ ...order, ...(await act(order)) }));
    [this.codeRefusal.value, this.refusal.value] = [this.refusal.value, null];
  }

  private async during(busy: Exclude<Busy, null>, act: () => Promise<void>): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = busy;
    this.refusal.value = null;
    try {
      await act();
    } catch (error) {
      this.refusal.value = error;
    } finally {
      this.busy.value = null;
    }
  }
}
