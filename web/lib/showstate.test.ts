import { describe, expect, test } from "vitest";
import { mostPieces, priceNow, soldOut, stockShare } from "./offers";
import type { Offer, Show } from "./shapes";
import { applied, knownFrom, pinnedOffers } from "./showstate";

const offer = (id: string, change: Partial<Offer> = {}): Offer => ({ id, product: `p${id}`, title: id, image: null, price: { amount: 2000, currency: "EUR" }, left: 5, per_buyer_limit: null, ...change });

const show: Show = { id: "s", title: "S", shop: "demo", state: "live", currency: "EUR", starts_at: null, started_at: null, offers: [offer("a"), offer("b")], pins: ["b"], deal: null, viewers: 3, hub: ["ws://h"], hls: null };

describe("what a page knows of a show", () => {
  test("follows stock, pins, viewers and state", () => {
    const known = [{ type: "stock", offer: "a", left: 2 }, { type: "pins", offers: ["a", "gone"], at: 77 }, { type: "viewers", count: 9 }, { type: "show", state: "paused" }].reduce(applied, knownFrom(show));
    expect([known.show.offers[0]?.left, known.show.viewers, known.show.state, known.pinnedAt]).toEqual([2, 9, "paused", 77]);
    expect(pinnedOffers(known).map(({ id }) => id)).toEqual(["a"]);
  });

  test("takes a new offer in and changes a known one", () => {
    const known = [{ type: "offer", offer: offer("c") }, { type: "offer", offer: offer("a", { title: "A2" }) }].reduce(applied, knownFrom(show));
    expect(known.show.offers.map(({ id, title }) => [id, title])).toEqual([["a", "A2"], ["b", "b"], ["c", "c"]]);
  });

  test("keeps what a hub's snapshot leaves out, and what was said", () => {
    const before = applied(knownFrom(show), { type: "chat", id: "1", name: "N", text: "T" });
    const { hub: _hub, viewers: _viewers, ...less } = show;
    const known = applied(before, { type: "resync", show: { ...less, title: "New" } });
    expect([known.show.title, known.show.hub, known.show.viewers, known.chat.length]).toEqual(["New", ["ws://h"], 3, 1]);
  });

  test("knows whether the host is away, and forgets it with a new welcome", () => {
    const notice = (host: string) => ({ type: "notice", about: "host", key: "host", host });
    const states = [notice("away"), notice("gone"), notice("back"), notice("away"), { type: "welcome", show }];
    const hosts = states.map((_, upto) => states.slice(0, upto + 1).reduce(applied, knownFrom(show)));
    expect(hosts.map(({ host }) => host)).toEqual(["away", "gone", "here", "away", "here"]);
    expect(hosts[0]?.notices).toEqual([]);
  });

  test("shows a message once however often it comes, and not after its removal", () => {
    const line = { type: "chat", id: "1", name: "N", text: "T" };
    expect([line, line].reduce(applied, knownFrom(show)).chat).toHaveLength(1);
    expect([line, { type: "chat_removed", id: "1" }].reduce(applied, knownFrom(show)).chat).toHaveLength(0);
  });

  test("never goes back to an older state of an order", () => {
    const known = [{ type: "order", id: "o", state: "paid", version: 3 }, { type: "order", id: "o", state: "held", version: 1 }].reduce(applied, knownFrom(show));
    expect(known.orders).toEqual({ o: { state: "paid", version: 3 } });
  });

  test("is not changed by an event of a kind it does not know", () => {
    const known = knownFrom(show);
    expect(applied(known, { type: "later" })).toBe(known);
  });
});

describe("the price now", () => {
  const deal = { offer: "a", price: { amount: 1500, currency: "EUR" }, starts_at: 1000, ends_at: 2000 };

  test("is the deal's only between its two times, by the server's clock", () => {
    expect([999, 1000, 1999, 2000].map((now) => priceNow(offer("a"), deal, now).price.amount)).toEqual([2000, 1500, 1500, 2000]);
    expect(priceNow(offer("a"), deal, 999).deal).toEqual({ phase: "soon", until: 1000 });
    expect(priceNow(offer("b"), deal, 1500).deal).toBeNull();
  });

  test("claims no reduction that the server has not stated", () => {
    expect(priceNow(offer("a"), deal, 1500)).toMatchObject({ after: { amount: 2000 }, reference: null });
    expect(priceNow(offer("a"), { ...deal, reference_price: { amount: 1400, currency: "EUR" } }, 1500).reference).toEqual({ amount: 1400, currency: "EUR" });
  });
});

describe("stock", () => {
  test("fills the bar on one scale for everyone", () => {
    expect([stockShare(offer("a", { left: 5 })), stockShare(offer("a", { left: 90 })), stockShare(offer("a", { left: 5, quantity: 10 })), stockShare(offer("a", { left: null }))]).toEqual([0.25, 1, 0.5, 1]);
  });

  test("bounds what one person may take", () => {
    expect([mostPieces(offer("a", { left: 2 })), mostPieces(offer("a", { left: null, per_buyer_limit: 3 })), mostPieces(offer("a", { left: 0 }))]).toEqual([2, 3, 1]);
    expect([soldOut(offer("a", { left: 0 })), soldOut(offer("a", { left: null }))]).toEqual([true, false]);
  });
});
