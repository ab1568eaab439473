/** An order turns out to be a minor's: it is stopped, and a guardian is asked (§ 108 BGB). */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Acting } from "../lib/acting";
import { newKey, post } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { Proof } from "../lib/proof";
import type { AuditLine } from "./trail";
import { say } from "./words";

const REASONS = ["guardian_said", "buyer_said", "document_seen", "authority_said"] as const;
const SOLD = ["order.paid", "order.shipped", "order.completed"];

interface Floating { contract: string; state: string; answer_by: string }

/** The order a line is about, when it is one that was sold. */
export const soldOrderOf = ({ action, data }: AuditLine): string | null =>
  SOLD.includes(action) && typeof data.order === "string" ? data.order : null;

export function MinorBuyer({ order }: { order: string }) {
  const [open, setOpen] = useState(false);
  const [{ acting, told }] = useState(() => ({ acting: new Acting(), told: signal<Floating | null>(null) }));
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const email = String(form.get("guardian_email") ?? "").trim();
    const body = { born: String(form.get("born")), reason: String(form.get("reason")), guardian_email: email || null };
    void acting.run(async () => { told.value = await post<Floating>(`/orders/${order}/minor-buyer`, body, { key: newKey() }); });
  };
  if (told.value) return <p class="trail-wide small" data-testid="marked">{say(told.value.contract === "floats" ? "markedText" : "markedBefore", { time: dayAndTime(told.value.answer_by) })}</p>;
  if (!open) return <button type="button" class="button button-small button-plain trail-wide" data-testid="mark-minor" onClick={() => setOpen(true)}>{say("markMinor")}</button>;
  return (
    <div class="trail-wide trail-form">
      <form class="fields" onSubmit={submit}>
        <p class="small">{say("markText")}</p>
        <label class="field"><span>{say("born")}</span><input name="born" type="date" required /></label>
        <label class="field"><span>{say("howKnown")}</span><select name="reason">{REASONS.map((one) => <option key={one} value={one}>{say(`reason_${one}`)}</option>)}</select></label>
        <label class="field"><span>{say("guardianMail")}</span><input name="guardian_email" type="email" autocomplete="off" /></label>
        <div class="row">
          <button class="button button-solid button-small" data-testid="mark-now" disabled={acting.busy.value}>{say("markNow")}</button>
          <button type="button" class="button button-small button-plain" onClick={() => setOpen(false)}>{say("notNow")}</button>
        </div>
      </form>
      <Proof acting={acting} />
    </div>
  );
}
