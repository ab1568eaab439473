import { beforeEach, describe, expect, it } from "vitest";
import { Refused } from "../lib/refused";
import { asked, reasonOf } from "./ageproof";

const refused = (code: string, reason?: string): Refused => new Refused(403, code, "", reason ? [{ reason }] : []);

beforeEach(() => { asked.value = null; });

describe("why a credential proves nothing", () => {
  it.each(["unreadable", "issuer", "time", "elsewhere", "claim", "signature"])("has a sentence of its own for %s", (reason) => {
    expect(reasonOf(refused("forbidden", reason))).toBe(reason);
  });

  it("is that there is a guardian when nothing is wrong with it", () => {
    expect(reasonOf(refused("forbidden"))).toBe("guardian");
  });

  it("tells a request that is over from a reservation that is", () => {
    expect(reasonOf(refused("expired"))).toBe("used");
  });

  it("tells that none is taken here from that the age is known", () => {
    expect(reasonOf(refused("conflict"))).toBe("not_taken");
    asked.value = { claim: "age_over_18", audience: "https://shop.example", nonce: "00" };
    expect(reasonOf(refused("conflict"))).toBe("known");
  });

  it("leaves the rest to the common sentences", () => {
    expect(reasonOf(refused("rate_limited"))).toBeNull();
    expect(reasonOf(new Error("x"))).toBeNull();
  });
});
