/** The question after the sale: what was bought turns out to be a minor's. Agreeing pays nothing; until there is an answer nothing is sent. */
import { useState } from "preact/hooks";
import { newKey, post } from "../lib/api";
import { dayAndTime } from "../lib/format";
import type { Approval } from "../lib/shapes";
import { Acting } from "../lib/acting";
import { Proof } from "../lib/proof";
import { say } from "./words";

export function Question({ approval, own, reload }: { approval: Approval; own: boolean; reload: () => void }) {
  const [acting] = useState(() => new Acting());
  const answer = async (what: "ratify" | "decline", body: unknown): Promise<void> => {
    const key = newKey();
    await acting.run(async () => {
      await post(`/approvals/${approval.id}/${what}`, body, { key });
      reload();
    });
  };
  const told = { name: approval.minor_name, time: dayAndTime(approval.expires_at) };
  const waits = approval.agreed && approval.agreed.length > 0;
  return (
    <div class="stack" data-testid="question">
      <p class="small">{say(own ? "boughtOwnText" : "boughtText", told)}</p>
      {waits && <p class="small muted">{say("agreedSoFar", { names: (approval.agreed ?? []).join(", ") })}</p>}
      <Proof acting={acting} />
      <div class="answers">
        <button type="button" class="button" data-testid="refuse" disabled={acting.busy.value} onClick={() => void answer("decline", {})}>{say("refuse")}<span class="tiny">{say("refuseMeans")}</span></button>
        <button type="button" class="button button-calm" data-testid="ratify" disabled={acting.busy.value} onClick={() => void answer("ratify", { digest: approval.digest })}>{say("ratify")}<span class="tiny">{say("ratifyMeans")}</span></button>
      </div>
    </div>
  );
}
