import { expect, test } from "vitest";
import { isName, wasCancelled } from "./passkey";

test("a passkey can belong to a name, never to an address", () => {
  expect(["localhost", "live.example.org", "127.0.0.1", "[::1]"].map(isName)).toEqual([true, true, false, false]);
});

test("closing the browser's window is no fault, anything else is", () => {
  expect([new DOMException("", "NotAllowedError"), new DOMException("", "SecurityError"), new Error("x")].map(wasCancelled)).toEqual([true, false, false]);
});
