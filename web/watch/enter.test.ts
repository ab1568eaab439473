import { expect, test, vi } from "vitest";

test("what a ticket and a picture need is read without a look at what the browser keeps", async () => {
  const looked = vi.fn(() => null);
  vi.stubGlobal("window", {});
  vi.stubGlobal("navigator", { onLine: true, languages: ["de"] });
  vi.stubGlobal("localStorage", { getItem: looked });
  await Promise.all([import("../lib/ticket"), import("./ctrl")]);
  expect(looked).not.toHaveBeenCalled();
});
