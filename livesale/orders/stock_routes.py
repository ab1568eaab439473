"""Corrections of a shop's stock over HTTP: what broke, got lost or turned up, with a reason. Decode, call, encode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import invalid, not_found
from livesale.kernel.routing import HOST, Answer, Call, Route
from livesale.orders.transfers import MOST_UNITS, Transfers

Delta = Annotated[int, msgspec.Meta(ge=-MOST_UNITS, le=MOST_UNITS)]


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """`delta` units more (or, negative, fewer) of a product than the shop has on its books, and why."""

    product: Annotated[str, msgspec.Meta(max_length=100)]
    delta: Delta
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Corrected(msgspec.Struct):
    """The correction as it was recorded; `left`: units the shop now has for shows."""

    product: str
    delta: int
    reason: str
    left: int


def routes(transfers: Transfers, may_sell: Callable[[Actor, str], Awaitable[bool]]) -> list[Route]:
    """The one route; `may_sell` says whose shop it is."""

    async def correct(call: Call) -> Answer:
        actor, shop, body = call.account(), call.path["shop"], call.body
        if not is_name(shop) or not await may_sell(actor, shop):
            raise not_found("shop of yours")
        if not body.delta or not body.reason.strip():
            raise invalid("delta" if body.reason.strip() else "reason", "must say something")
        left = await transfers.correct(shop, body.product, body.delta, body.reason.strip(), actor.account, call.act())
        return Answer(Corrected(body.product, body.delta, body.reason.strip(), left))

    return [
        Route(
            "POST", "/shops/{shop}/stock", correct, "Correct what the shop has of a product, with a reason", HOST,
            Correction, Corrected, refuses=("short", "conflict"),
        )
    ]  # fmt: skip
