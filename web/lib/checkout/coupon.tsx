/** The field for a coupon's code: what it took off, or in words why it does not work. */
import { sorryFor } from "../sorry";
import type { Order } from "../shapes";
import type { Purchase } from "./ctrl";
import { say } from "./words";

export function CouponField({ purchase, order }: { purchase: Purchase; order: Order }) {
  const busy = purchase.busy.value !== null;
  if (order.coupon) {
    return (
      <p class="row row-apart small" role="status" data-testid="coupon-used">
        <span>{say("couponUsed", { code: order.coupon })}</span>
        <button type="button" class="button button-small button-plain" disabled={busy} onClick={() => void purchase.dropCode()}>{say("couponDrop")}</button>
      </p>
    );
  }
  const refusal = purchase.codeRefusal.value;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget as HTMLFormElement).get("code") ?? "").trim();
    if (code) void purchase.useCode(code);
  };
  return (
    <form class="coupon" onSubmit={submit}>
      <label class="field">
        <span>{say("coupon")}</span>
        <input
          name="code" maxLength={60} autocomplete="off" autocapitalize="characters" spellcheck={false} data-testid="coupon-code"
          aria-invalid={refusal === null ? undefined : "true"} aria-describedby={refusal === null ? undefined : "coupon-fault"}
        />
      </label>
      <button class="button button-small" disabled={busy} data-testid="coupon-apply">{say("couponApply")}</button>
      {refusal !== null && <span class="field-fault" id="coupon-fault" role="alert" data-testid="coupon-fault">{sorryFor(refusal)}</span>}
    </form>
  );
}
