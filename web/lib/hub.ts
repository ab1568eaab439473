/** A viewer's socket to the hub: joins by ticket, follows the log's positions, comes back by itself. Knows no DOM. */
import { encode } from "@msgpack/msgpack";
import { Refused } from "./refused";
import { afterClose, hubAddress, reading, type Position } from "./rejoin";
import type { HubEvent, Ticket } from "./shapes";
import { decodeFrame, SUBPROTOCOL, type EventsFrame, type Fragment, type Frame, type InitFrame } from "./wire";

export type HubStatus = "joining" | "joined" | "waiting" | "ended" | "bye" | "refused";

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

export class HubSocket {
  private socket: WebSocket | null = null;
  private position: Position | null = null;
  private attempt = 0;
  private rejoinMs = 0; // as the hub named it
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0; // of asking to join: an answer to an earlier one comes too late

  constructor(private readonly options: HubOptions) {}

  async join(): Promise<void> {
    const turn = this.turn += 1;
    this.options.listener.status("joining");
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
    this.socket?.close(1000);
    this.socket = null;
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
  }

  private receive(data: ArrayBuffer): void {
    const frame = this.decoded(data);
    if (frame === null) this.abandon();
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
      this.abandon();
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

  private abandon(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.closed(MISSED_SOMETHING);
  }

  private closed(code: number): void {
    this.socket = null;
    const next = afterClose(code, this.attempt, Math.random(), this.rejoinMs);
    if (next.kind === "stop") this.options.listener.status(next.why);
    else this.comeBack(next.waitMs);
  }

  private withoutTicket(error: unknown): void {
    if (error instanceof Refused && error.code === "show_not_live") this.options.listener.status("bye");
    else if (error instanceof Refused && (error.status === 404 || error.status === 410)) this.options.listener.status("ended");
    else this.closed(error instanceof Refused && error.status === 429 ? 4429 : 1006);
  }

  private comeBack(waitMs: number): void {
    this.attempt += 1;
    this.options.listener.status("waiting");
    this.timer = setTimeout(() => void this.join(), waitMs);
  }

  private send(message: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(message));
  }
}
