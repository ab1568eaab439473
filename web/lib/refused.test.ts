import { describe, expect, test } from "vitest";
import { cookieOf, headersFor } from "./api";
import { phaseOf, newer, wayOn } from "./checkout/steps";
import { Refused, refusedFrom, retryDelayMs } from "./refused";
import { safeNext } from "./session";
import type { Order } from "./shapes";
import { sorryFor } from "./sorry";

const problem = (code: string, errors: object[] = []): string => JSON.stringify({ type: "t", title: "T", status: 409, code, detail: "Because.", errors });

describe("a coupon or a country that does not work", () => {
  const said = (code: string, error: object): string => sorryFor(refusedFrom(409, problem(code, [error]), null));

  test("is told in words, with what is missing", () => {
    const money = (amount: number) => ({ amount, currency: "EUR" });
    expect(said("coupon_refused", { reason: "below_minimum", minimum: money(2000), lacks: money(501) })).toBe("The goods have to cost €20.00 or more for this code: €5.01 are missing.");
    expect(said("coupon_refused", { reason: "used_up" })).toContain("used up");
    expect(said("coupon_refused", { reason: "of_tomorrow" })).toBe("Because.");
    expect(said("no_delivery", { country: "FR", countries: ["AT", "DE"] })).toBe("The shop does not deliver to France. It delivers to: Austria, Germany.");
  });
});

describe("a problem document", () => {
  test("becomes a refusal with code, sentence, lines and waiting time", () => {
    const refused = refusedFrom(409, problem("sold_out", [{ offer: "of_1", left: 2 }]), "3");
    expect(refused).toMatchObject({ status: 409, code: "sold_out", detail: "Because.", errors: [{ offer: "of_1", left: 2 }], retryAfterS: 3 });
  });

  test.each([[401, "unauthenticated"], [404, "not_found"], [502, "broken"], [503, "store_unavailable"], [429, "rate_limited"]])("that is no document at all still has a code: %i", (status, code) => {
    expect(refusedFrom(status, "<html>", null).code).toBe(code);
    expect(refusedFrom(status, "null", "soon").retryAfterS).toBeNull();
  });

  test("names the fault of a field, also of a nested one", () => {
    const refused = refusedFrom(422, problem("invalid", [{ field: "ship_to.city", detail: "is missing" }]), null);
    expect([refused.faultOf("city"), refused.faultOf("name")]).toEqual(["is missing", null]);
    expect(sorryFor(refused)).toContain("is missing");
  });

  test("says how long to wait, within reason", () => {
    expect(retryDelayMs(new Refused(503, "store_unavailable", "", [], 2), 1)).toBe(2000);
    expect(retryDelayMs(new Refused(503, "store_unavailable", "", [], 900), 1)).toBe(5000);
    expect(retryDelayMs(new Refused(0, "offline", ""), 2)).toBe(1000);
  });
});

describe("a request", () => {
  test("carries CSRF on writes only, and its key", () => {
    expect(headersFor("GET", undefined, {}, "c")).toEqual({ Accept: "application/json" });
    expect(headersFor("POST", {}, { key: "k" }, "c")).toEqual({ Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": "c", "Idempotency-Key": "k" });
  });

  test("reads exactly its own cookie", () => {
    expect(cookieOf("a=1; livesale_csrf=x%3D; xlivesale_csrf=2", "livesale_csrf")).toBe("x=");
    expect(cookieOf("xlivesale_csrf=2", "livesale_csrf")).toBeNull();
  });

  test("comes back only to a page of ours", () => {
    expect(safeNext("?next=%2Fwatch%2Fa%3Foffer%3Db")).toBe("/watch/a?offer=b");
    for (const evil of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"]) {
      expect(safeNext(`?next=${encodeURIComponent(evil)}`)).toBe("/");
    }
  });
});

describe("the way on after a refusal", () => {
  const after = (code: string, line: object = {}) => wayOn(refusedFrom(409, problem(code, [{ offer: "of_1", ...line }]), null), "of_1", "EUR");

  test("offers what is left, else the waiting list", () => {
    expect(after("sold_out", { left: 2 })).toEqual({ kind: "fewer", left: 2 });
    expect(after("sold_out", { left: 0 })).toEqual({ kind: "sold_out" });
  });

  test("names the new price, given as money or as an amount", () => {
    expect(after("price_changed", { price: { amount: 5, currency: "CHF" } })).toEqual({ kind: "new_price", price: { amount: 5, currency: "CHF" } });
    expect(after("price_changed", { price: 5 })).toEqual({ kind: "new_price", price: { amount: 5, currency: "EUR" } });
    expect(after("price_changed", { field: "price_total", amount: 5, currency: "EUR" })).toMatchObject({ kind: "new_price", price: { amount: 5 } });
  });

  test.each([["expired", "again"], ["unauthenticated", "sign_in"], ["invalid", "fix_fields"], ["limit_reached", "leave"], ["show_not_live", "leave"], ["offline", "retry"]])("%s → %s", (code, kind) => {
    expect(after(code).kind).toBe(kind);
  });
});

describe("an order on screen", () => {
  const order = (state: string, version: number): Order => ({ id: "o", state, version, lines: [], total: { amount: 1, currency: "EUR" }, reserved_until: null });

  test("is never replaced by an older answer", () => {
    expect(newer(order("paid", 3), order("awaiting_payment", 2)).state).toBe("paid");
    expect(newer(order("held", 1), order("paid", 2)).state).toBe("paid");
  });

  test("is open, waiting, good or over", () => {
    expect(["held", "awaiting_guardian", "awaiting_payment", "paid", "shipped", "expired", "payment_failed", "withdrawn"].map(phaseOf))
      .toEqual(["open", "waiting", "waiting", "good", "good", "over", "over", "over"]);
  });
});
