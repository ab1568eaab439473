"""What the guardian who pays has still to do: confirm the payment with their bank (3-D Secure). Nobody else is told where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from livesale.guardians.model import Approval
from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route
from livesale.payments.model import Payment


class PaymentStep(msgspec.Struct):
    """Where your bank asks, and until when it may be confirmed; null: there is nothing to do, or it is not yours."""

    redirect_url: str | None
    until: str | None


Seen = Callable[[Actor, str], Awaitable[Approval]]  # the request, for who may read it
PaymentOf = Callable[[Approval], Awaitable[Payment | None]]


def routes(seen: Seen, payment_of: PaymentOf) -> list[Route]:
    """The one route."""

    async def step(call: Call) -> Answer:
        actor = call.account()
        approval = await seen(actor, call.path["approval"])
        pays = approval.state == "approved" and approval.guardian == actor.account
        payment = await payment_of(approval) if pays else None
        if payment is None or payment.state != "requires_action" or payment.approval != approval.id:
            return Answer(PaymentStep(None, None))
        return Answer(PaymentStep(payment.redirect_url, rfc3339(payment.deadline)))

    path = "/approvals/{approval}/payment"
    return [Route("GET", path, step, "What is left to confirm with your bank", ACCOUNT, answer=PaymentStep)]
