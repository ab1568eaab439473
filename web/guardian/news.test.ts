import { describe, expect, it } from "vitest";
import { merged } from "./news";

describe("what changed at the desk", () => {
  it("takes the place of what was listed, and comes first when it is new", () => {
    const listed = [{ id: "a", state: "requested" }, { id: "b", state: "declined" }];
    const changed = [{ id: "c", state: "requested" }, { id: "a", state: "consumed" }];
    expect(merged(listed, changed).map((one) => `${one.id} ${one.state}`)).toEqual(["c requested", "a consumed", "b declined"]);
  });
});
