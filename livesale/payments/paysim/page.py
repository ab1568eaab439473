"""The confirmation page a buyer sees for `pm_3ds`: what would be paid, Approve and Decline of equal size."""

from __future__ import annotations

from html import escape

from yarl import URL

from livesale.kernel.money import minor_digits
from livesale.payments.provider import Attempt

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Confirm payment · sandbox</title>
<style>
:root {{ color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1c1917; background: #faf7f2; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; }}
main {{ width: min(22rem, calc(100vw - 4rem)); padding: 28px; background: #fff; border: 1px solid #e7e0d5;
  border-radius: 12px; }}
h1 {{ font-size: 20px; margin: 0 0 4px; }}
p {{ margin: 0 0 16px; color: #57534e; overflow-wrap: anywhere; }}
.amount {{ font-size: 40px; line-height: 1.2; color: #1c1917; font-variant-numeric: tabular-nums; }}
form {{ display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }}
button {{ font: inherit; font-weight: 600; padding: 12px; border-radius: 12px; border: 1px solid #0f5e59; }}
button:focus-visible {{ outline: 3px solid #1c1917; outline-offset: 2px; }}
.yes {{ background: #0f5e59; color: #fff; }} .no {{ background: #fff; color: #0f5e59; }}
small {{ display: block; margin-top: 20px; color: #57534e; font-size: 14px; }}
</style>
</head>
<body><main>
<h1>Confirm this payment</h1>
<p>Your bank asks whether it is you.</p>
<p class="amount">{amount}</p>
<p>Reference {reference}</p>
{decision}
<small>Payment sandbox: no real money moves.</small>
</main></body></html>
"""

_DECISION = """<form method="post">
<button class="yes" name="decision" value="approve" data-testid="3ds-approve">Approve</button>
<button class="no" name="decision" value="decline" data-testid="3ds-decline">Decline</button>
</form>"""

_DECIDED = "<p>This payment is already {state}.</p>{back}"


def confirmation(payment: Attempt, return_url: str) -> str:
    """The page for `payment`; once decided it only leads back to the shop."""
    if payment.state == "requires_action":
        decision = _DECISION
    else:
        back = f'<p><a href="{escape(return_url)}">Back to the shop</a></p>' if return_url else ""
        decision = _DECIDED.format(state=escape(payment.state), back=back)
    return _PAGE.format(amount=_shown(payment), reference=escape(payment.reference), decision=decision)


def policy(return_url: str) -> str:
    """The page's Content-Security-Policy; browsers hold a form's redirect to `form-action`, so the shop is
    in it.
    """
    shop = f" {URL(return_url).origin()}" if return_url else ""
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'{shop}; frame-ancestors 'none';"
        " base-uri 'none'"
    )


def _shown(payment: Attempt) -> str:
    digits = minor_digits(payment.currency)
    whole, rest = divmod(payment.amount, 10**digits)
    return f"{whole:,}{f'.{rest:0{digits}d}' if digits else ''} {escape(payment.currency)}"
