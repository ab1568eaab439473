/** A viewer's socket to the hub: joins by ticket, follows the log's positions, comes back by itself. Knows no DOM. */
import { encode } from "@msgpack/msgpack";
import { Refused } from "./refused";
import { afterClose, hubAddress, reading, type Position } from "./rejoin";
import type { HubEvent, Ticket } from "./shapes";
import { decodeFrame, SUBPROTOCOL, type EventsFrame, type Fragment, type Frame, type InitFrame } from "./wire";

/** `waiting` and `crowded` last until it is joined again: what people read does not change with each attempt. */
export type HubStatus = "joining" | "joined" | "waiting" | "crowded" | "ended" | "bye" | "refused";

export interface HubListener {
  event(event: HubEvent): void;
  status(status: HubStatus): void;
  init?(init: InitFrame): void;
  media?(fragments: Fragment[]): void;
}

export interface HubOptions {
  show: string;
  media: boolean;
  ticket: () => Promise<Ticket>;
  listener: HubListener;
}

const MISSED_SOMETHING = 4999; // ours, never on the wire: we hung up to come back from our own position
const DIED = 1006;
const CROWDED = 4429;

/** A quiet show says something every 5 s (presence.py). Looks are counted, not time: a tab that slept has heard nothing, and all is well. */
const LOOK_MS = 5000;
const SILENT_LOOKS = 3;

export class HubSocket {
  private socket: WebSocket | null = null;
  private position: Position | null = null;
  private attempt = 0;
  private rejoinMs = 0; // as the hub named it
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private silentLooks = 0;
  private turn = 0; // of asking to join: an answer to an earlier one comes too late

  constructor(private readonly options: HubOptions) {}

  async join(): Promise<void> {
    const turn = this.turn += 1;
    if (this.attempt === 0) this.options.listener.status("joining");
    let ticket: Ticket;
    try {
      ticket = await this.options.ticket();
    } catch (error) {
      if (turn === this.turn) this.withoutTicket(error);
      return;
    }
    if (turn === this.turn) this.open(ticket);
  }

  leave(): void {
    this.turn += 1;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.letGo();
  }

  /** The device has a network again: waiting any longer helps nobody. */
  hurry(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.join();
  }

  /** Where the socket leads to, while there is one. */
  get host(): string {
    return this.socket ? new URL(this.socket.url).host : "";
  }

  /** Figures for the operators; lost ones do not matter. */
  report(stats: Record<string, number>): void {
    this.send({ type: "stats", ...stats });
  }

  private open(ticket: Ticket): void {
    const { show, media } = this.options;
    const socket = new WebSocket(hubAddress(ticket.hub, show, ticket.ticket, this.position, media), [SUBPROTOCOL]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => { if (socket === this.socket) this.receive(message.data as ArrayBuffer); };
    socket.onclose = (closed) => { if (socket === this.socket) this.closed(closed.code); };
    this.socket = socket;
    this.silentLooks = 0;
    this.watch = setInterval(() => this.look(), LOOK_MS);
  }

  /** A line that is dead without a word, or a socket that never opens: no event will ever say so. */
  private look(): void {
    this.silentLooks += 1;
    if (this.silentLooks >= SILENT_LOOKS) this.closed(DIED);
  }

  private receive(data: ArrayBuffer): void {
    this.silentLooks = 0;
    const frame = this.decoded(data);
    if (frame === null) this.closed(MISSED_SOMETHING);
    else if (frame.kind === "events") this.follow(frame);
    else if (frame.kind === "init") this.options.listener.init?.(frame);
    else if (frame.kind === "media") this.options.listener.media?.(frame.fragments);
  }

  /** Bytes we cannot read mean that we can no longer know what we missed. */
  private decoded(data: ArrayBuffer): Frame | null {
    try {
      return decodeFrame(new Uint8Array(data));
    } catch {
      return null;
    }
  }

  private follow(frame: EventsFrame): void {
    const step = reading(frame, this.position?.seq ?? Number.MAX_SAFE_INTEGER);
    if (step.kind === "missed") {
      this.closed(MISSED_SOMETHING);
      return;
    }
    for (const event of frame.events) this.take(event);
    if (this.position) this.position.seq = step.position;
  }

  private take(event: HubEvent): void {
    if (event.type === "welcome" || event.type === "resync") {
      this.position = { seq: event.seq ?? 0, epoch: (event.epoch as string | number | undefined) ?? null };
      this.attempt = 0;
      this.rejoinMs = typeof event.rejoin_ms === "number" ? event.rejoin_ms : 0;
      this.options.listener.status("joined");
    }
    if (event.type === "ping") this.send({ type: "pong" });
    else this.options.listener.event(event);
  }

  private closed(code: number): void {
    this.letGo();
    const next = afterClose(code, this.attempt, Math.random(), this.rejoinMs);
    if (next.kind === "stop") this.options.listener.status(next.why);
    else this.comeBack(next.waitMs, code === CROWDED ? "crowded" : "waiting");
  }

  /** First out of hand, then closed: what it still says is not ours any more. */
  private letGo(): void {
    clearInterval(this.watch);
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
  }

  private withoutTicket(error: unknown): void {
    if (error instanceof Refused && error.code === "show_not_live") this.options.listener.status("bye");
    else if (error instanceof Refused && (error.status === 404 || error.status === 410)) this.options.listener.status("ended");
    else this.closed(error instanceof Refused && error.status === 429 ? CROWDED : DIED);
  }

  private comeBack(waitMs: number, status: HubStatus): void {
    this.attempt += 1;
    this.options.listener.status(status);
    this.timer = setTimeout(() => this.hurry(), waitMs);
  }

  private send(message: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(message));
  }
}
