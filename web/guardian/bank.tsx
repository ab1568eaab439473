/** What the bank of whoever agreed still wants to be told (3-D Secure): now, or where an allowance has agreed by itself. */
import { ExternalLink } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { Notice } from "../lib/pieces";
import type { Approval, PaymentStep } from "../lib/shapes";
import { say } from "./words";

/** Asked again with every piece of news about the request; another guardian's payment is none of ours. */
export function Bank({ approval }: { approval: Approval }) {
  const [step, setStep] = useState<PaymentStep | null>(null);
  useEffect(() => { void get<PaymentStep>(`/approvals/${approval.id}/payment`).then(setStep, () => setStep(null)); }, [approval]);
  if (!step?.redirect_url || !step.until) return null;
  return (
    <Notice tone="wait" title={say("bank")}>
      <p class="small">{say("bankText", { time: dayAndTime(step.until) })}</p>
      <a class="button button-solid" href={step.redirect_url} target="_blank" rel="noopener" data-testid="confirm-with-bank">{say("bank")}<ExternalLink size={16} aria-hidden="true" /></a>
    </Notice>
  );
}
