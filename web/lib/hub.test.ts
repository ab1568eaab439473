import { encode } from "@msgpack/msgpack";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HubSocket, type HubStatus } from "./hub";
import { Refused } from "./refused";
import type { HubEvent } from "./shapes";

/** A socket whose other end is this test. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 1;
  binaryType = "";
  closedWith: number | null = null;
  onmessage: ((message: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((closed: { code: number }) => void) | null = null;

  constructor(readonly url: string, readonly protocols: string[]) { FakeSocket.all.push(this); }

  close(code: number): void { this.closedWith = code; }
  send(): void { /* what the hub is told is not looked at here */ }
  hear(after: number, upto: number, ...events: HubEvent[]): void {
    this.onmessage?.({ data: Uint8Array.from([1, ...encode({ after, upto, events })]).buffer });
  }
}

const newest = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;

function joined(ticket = vi.fn(async () => ({ ticket: `t${FakeSocket.all.length}`, hub: "ws://hub", expires_at: 0, now: 0 }))) {
  const heard: string[] = [];
  const statuses: HubStatus[] = [];
  const hub = new HubSocket({ show: "s", media: true, ticket, listener: { event: (event) => heard.push(event.type), status: (status) => statuses.push(status) } });
  return { hub, heard, statuses, ticket };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a hub socket", () => {
  test("comes back with a fresh ticket, from where it was", async () => {
    const { hub, statuses, ticket } = joined();
    await hub.join();
    newest().hear(0, 9, { type: "welcome", seq: 9, epoch: "e1" });
    newest().hear(9, 12, { type: "chat" });
    newest().onclose?.({ code: 4011 });
    await vi.advanceTimersByTimeAsync(400);
    expect(ticket).toHaveBeenCalledTimes(2);
    expect(newest().url).toContain("after=12&epoch=e1");
    expect(newest().url).toContain("ticket=t1");
    expect(statuses).toEqual(["joining", "joined", "waiting"]); // and so it stays until it is joined
    newest().hear(12, 12, { type: "welcome", seq: 12, epoch: "e1" });
    expect(statuses.at(-1)).toBe("joined");
  });

  test("says when there are too many", async () => {
    const { hub, statuses } = joined();
    await hub.join();
    newest().onclose?.({ code: 4429 });
    expect(statuses.at(-1)).toBe("crowded");
  });

  test("hangs up and resumes when a frame hides something, without showing what came after the hole", async () => {
    const { hub, heard } = joined();
    await hub.join();
    const first = newest();
    first.hear(0, 9, { type: "welcome", seq: 9, epoch: "e1" });
    first.hear(11, 12, { type: "chat" });
    expect(first.closedWith).toBe(1000);
    expect(heard).toEqual(["welcome"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(newest().url).toContain("after=9");
  });

  test("comes back after bytes it cannot read", async () => {
    const { hub, statuses } = joined();
    await hub.join();
    newest().onmessage?.({ data: Uint8Array.from([1, 0xc1]).buffer });
    expect(statuses.at(-1)).toBe("waiting");
  });

  test("stays away once the show has ended, and after leaving", async () => {
    const { hub, statuses, ticket } = joined();
    await hub.join();
    newest().onclose?.({ code: 4010 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([statuses.at(-1), ticket.mock.calls.length]).toEqual(["ended", 1]);
    await hub.join();
    hub.leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ticket).toHaveBeenCalledTimes(2);
  });

  test("asks for its ticket again when the store is away", async () => {
    const ticket = vi.fn().mockRejectedValueOnce(new Refused(503, "store_unavailable", "")).mockResolvedValue({ ticket: "t", hub: "ws://hub", expires_at: 0, now: 0 });
    const { hub } = joined(ticket);
    await hub.join();
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test("notices a line that has died without a word, and a socket that never opens", async () => {
    const { hub, statuses } = joined();
    await hub.join();
    newest().hear(0, 9, { type: "welcome", seq: 9, epoch: "e1" });
    for (let heard = 0; heard < 12; heard += 1) {
      await vi.advanceTimersByTimeAsync(5000);
      newest().hear(9, 9, { type: "viewers", count: 1 });
    }
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(15_400);
    expect([FakeSocket.all.length, FakeSocket.all[0]?.closedWith]).toEqual([2, 1000]);
    expect(newest().url).toContain("after=9&epoch=e1");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakeSocket.all).toHaveLength(3);
    expect(statuses.filter((status) => status === "waiting")).toHaveLength(2);
  });

  test("does not take its own long sleep for the line's", async () => {
    const { hub, statuses } = joined();
    await hub.join();
    newest().hear(0, 9, { type: "welcome", seq: 9, epoch: "e1" });
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(statuses.at(-1)).toBe("joined");
  });

  test("waits no longer once there is a network again", async () => {
    const { hub, ticket } = joined();
    await hub.join();
    hub.hurry();
    expect(ticket).toHaveBeenCalledTimes(1);
    for (let died = 0; died < 5; died += 1) {
      newest().onclose?.({ code: 1006 });
      hub.hurry();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(ticket).toHaveBeenCalledTimes(6);
    await vi.advanceTimersByTimeAsync(30);
    expect(ticket).toHaveBeenCalledTimes(6);
  });
});
