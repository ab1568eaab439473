/** What a price is made of: coupon, shipping, the whole, and how much of it is VAT. */
import { decimal, money } from "../format";
import type { Made } from "../shapes";
import { say } from "./words";

/** Rows of a list of facts, for wherever an order's or a request's total is shown. */
export function Sums({ of }: { of: Made }) {
  const taxed = (of.vat ?? []).filter((share) => share.amount.amount > 0);
  return (
    <dl class="sums small figures" data-testid="sums">
      {of.discount && of.discount.amount > 0 && <div data-testid="sum-discount"><dt>{say("discountRow", { code: of.coupon ?? "" })}</dt><dd>−{money(of.discount)}</dd></div>}
      {of.shipping && <div data-testid="sum-shipping"><dt>{say("shippingRow")}</dt><dd>{of.shipping.amount > 0 ? money(of.shipping) : say("free")}</dd></div>}
      {taxed.map((share) => <div key={share.rate} data-testid="sum-vat"><dt>{say("vatRow", { rate: percent(share.rate) })}</dt><dd>{money(share.amount)}</dd></div>)}
      {taxed.length === 0 && (of.vat ?? []).length > 0 && <div data-testid="sum-vat"><dt>{say("noVat")}</dt><dd /></div>}
    </dl>
  );
}

const percent = (rate: string): string => decimal(Number(rate), rate.split(".")[1]?.length ?? 0);
