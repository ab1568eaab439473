"""What verification says of contracts that float: nothing leaves, and of a void one everything comes back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.verify import verify
from livesale.store.valkey import Store
from tests.ledger.conftest import PUBLIC_KEY, Running, archived
from tests.ledger.sale import PRICE, Sale


@pytest.mark.parametrize(
    ("told", "differs"),
    [
        (["floats"], ""),
        (["floats", "sent"], "shipment of"),
        (["floats", "void"], "void contract of"),
        (["floats", "void", "given back"], ""),
        (["floats", "void", "given back", "sent"], "shipment of"),
        (["floats", "ratified", "sent"], ""),
    ],
)
async def test_what_may_be_told_of_it(
    store: Store, engine: AsyncEngine, running: Running, told: list[str], differs: str
) -> None:
    """A shipment while it floats or after it was void, and a void one without its money back, are named; the rest is sound."""
    sale = Sale(store)
    await sale.open()
    order = await sale.hold()
    await sale.check_out(order)
    await sale.pay(order)
    for what in told:
        if what == "given back":
            await sale.refund(order, PRICE)
        else:
            await sale._commit([event(order, what)])
    async with running():
        await archived(store, engine, sale.shelf)
    found = [str(one) for one in await verify(store, engine, sale.show, PUBLIC_KEY, 0)]
    assert len(found) == bool(differs)
    assert all(differs in one for one in found)


def event(order: str, what: str) -> dict[str, Any]:
    if what == "sent":
        return {"type": "shipment_made", "order": order, "owner": "buyer00000", "version": 4, "shipment": "sh_1", "lines": [],
                "by": "host000000", "at": 3_000}  # fmt: skip
    return {"type": "contract_changed", "order": order, "approval": "ap_1", "state": what, "before": "", "by": "", "reason": "",
            "at": 3_000}  # fmt: skip
