import { describe, expect, it } from "vitest";
import { bytesOf, standingOf } from "./pushes";

const here = "https://push.example.org/a";

describe("what the switch says", () => {
  it("is on only when browser, permission and server agree", () => {
    expect(standingOf(true, "granted", here, ["https://push.example.org/b", here])).toBe("on");
  });

  it.each([
    ["the browser has no subscription", "granted", null, [here]],
    ["the server knows it for somebody else, or its sign-in has ended", "granted", here, []],
    ["nobody has been asked yet", "default", here, [here]],
  ] as const)("is off when %s", (_, permission, endpoint, known) => {
    expect(standingOf(true, permission, endpoint, known)).toBe("off");
  });

  it("says that it is blocked, whatever was subscribed before", () => {
    expect(standingOf(true, "denied", here, [here])).toBe("blocked");
  });

  it("says that the browser cannot", () => {
    expect(standingOf(false, "default", null, [])).toBe("unsupported");
  });
});

it("reads our public key as base64url", () => {
  expect([...bytesOf("BP-_AA")]).toEqual([4, 255, 191, 0]);
});
