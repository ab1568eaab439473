/** Why the server did not do what the host asked for: our sentence, and what only the server knows. */
import { Refused } from "../lib/refused";
import { detailOf, sorryFor } from "../lib/sorry";
import { NoCamera } from "./whip";
import { say } from "./words";

export function whyNot(error: unknown): string {
  if (error instanceof NoCamera) return say("noCameraToSend");
  const left = error instanceof Refused ? error.errors.find((fault) => typeof fault.left === "number")?.left : undefined;
  return [sorryFor(error), left === undefined ? detailOf(error) : say("shopHas", { n: left })].filter(Boolean).join(" ");
}
