"""Marking an order as a minor's over HTTP: decode, call, encode. For operators alone; nobody else ever reads of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.routing import OPERATOR, Answer, Call, Route
from livesale.orders.marking import Marking

# Who said so; a code, for the audit is kept for ever and people's words are not.
Reason = Literal["guardian_said", "buyer_said", "document_seen", "authority_said"]


class MinorBuyer(msgspec.Struct, forbid_unknown_fields=True):
    """How it came to light; of `born` only the band is kept. `guardian_email`: whom to ask when nobody is linked."""

    born: date
    reason: Reason
    guardian_email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)] | None = None


class Floating(msgspec.Struct):
    """An order and the question about it: `contract` is floats, ratified or void; without an answer by `answer_by` it is
    refused, and all money goes back.
    """

    order: str
    contract: str
    approval: str
    state: str
    answer_by: str


def routes(marking: Marking) -> list[Route]:
    """The one route."""

    async def mark(call: Call) -> Answer:
        body: MinorBuyer = call.body
        order, asked = await marking.mark(
            call.account(), call.path["order"], body.born, body.reason, body.guardian_email
        )
        return Answer(Floating(order.id, order.contract, asked.id, asked.state, rfc3339(asked.expires_at)))

    return [
        Route(
            "POST", "/orders/{order}/minor-buyer", mark, "A paid order is a minor's: stop it, and ask a guardian (§ 108 BGB)",
            OPERATOR, MinorBuyer, Floating, refuses=("conflict", "step_up_required"),
        )
    ]  # fmt: skip
