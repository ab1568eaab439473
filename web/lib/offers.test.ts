import { expect, test } from "vitest";
import { priceNow, reducedPercent } from "./offers";
import type { Deal, Money, Offer } from "./shapes";

const eur = (amount: number): Money => ({ amount, currency: "EUR" });
const offer: Offer = { id: "of", product: "p", title: "Pan", image: null, price: eur(2000), left: 5, per_buyer_limit: null };
const deal = (price: number, reference: number | null): Deal => ({ offer: "of", price: eur(price), starts_at: 1000, ends_at: 9000, reference_price: reference === null ? null : eur(reference) });

test("a percentage is of the lowest price of 30 days, not of the price before (CJEU C-330/23)", () => {
  expect(reducedPercent(priceNow(offer, deal(1500, 1600), 5000))).toBe(6);
  expect(reducedPercent(priceNow(offer, deal(1500, 2000), 5000))).toBe(25);
});

test("a price that was lower within 30 days is no reduction", () => {
  expect(reducedPercent(priceNow(offer, deal(1500, 1200), 5000))).toBeNull();
  expect(reducedPercent(priceNow(offer, deal(1500, 1500), 5000))).toBeNull();
});

test("a percentage is rounded down: never more than it is", () => {
  expect(reducedPercent(priceNow(offer, deal(1001, 2000), 5000))).toBe(49);
  expect(reducedPercent(priceNow(offer, deal(1999, 2000), 5000))).toBeNull();
});

test("before the deal and after it nothing is reduced, unless the offer itself is", () => {
  for (const now of [500, 9000]) expect(reducedPercent(priceNow(offer, deal(1500, 2000), now))).toBeNull();
  expect(reducedPercent(priceNow({ ...offer, reference_price: eur(2500) }, null, 500))).toBe(20);
});

test("without a word from the server there is no reference", () => {
  expect(reducedPercent(priceNow(offer, deal(1500, null), 5000))).toBeNull();
});
