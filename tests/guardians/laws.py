"""The laws of consent, read off the shelves and the provider: the judge of the machine of requests."""

from __future__ import annotations

import msgspec

from livesale.guardians.allowance import Spend
from livesale.guardians.model import Approval
from livesale.orders.asking import digest_of
from livesale.orders.model import Order
from tests.support.market import Market

PARENTS = ("gita", "gero")


def check_consent(market: Market, order: Order, approvals: list[Approval]) -> None:
    """No money without one consumed approval of exactly this order; one request of an order is open at most."""
    assert sum(one.state in ("requested", "approved") for one in approvals) <= 1
    consumed = [one for one in approvals if one.state == "consumed"]
    captured = market.provider.captured.get(order.id, 0)
    assert captured in (0, order.total)
    if captured or order.state == "paid":
        [consent] = consumed
        assert consent.id == order.approval
        assert consent.digest == digest_of(order, msgspec.json.decode(order.ship_to))
        assert (consent.total, consent.guardian in PARENTS) == (captured, True)
    for now in approvals:
        if now.id == order.approval and now.state in ("requested", "approved"):
            assert now.digest == digest_of(order, msgspec.json.decode(order.ship_to))


async def check_allowance(market: Market, every: list[Spend], approvals: dict[str, Approval]) -> None:
    """What is spent is what is set aside or used; nothing is agreed to without its sum, and each sum is for one."""
    spends = {one.id: one for one in every}
    counters = await market.store.counters("person:mia")
    spent = sum(count for name, count in counters.items() if name.startswith("spent:"))
    assert spent == sum(one.amount - one.returned for one in every if one.state != "released")
    for approval in approvals.values():
        if approval.spend and approval.state in ("approved", "consumed"):
            spend = spends[approval.spend]
            assert (spend.approval, spend.amount, spend.guardian) == (approval.id, approval.total, approval.guardian)
            assert spend.state != "released" or market.provider.captured.get(approval.order, 0) == 0
    for spend in every:
        if spend.state == "used":
            assert approvals[spend.approval].state == "consumed"
