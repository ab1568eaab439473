"""A market with a family: the minor `mia`, her guardians, and others who would like to be."""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.kernel.actor import Actor
from livesale.orders.model import Order
from livesale.store.decision import Decision
from livesale.store.record import load, put
from tests.support.market import HOST, Market

# account -> (adult, by more than its own word)
PEOPLE = {
    "gita": (True, True), "gero": (True, True), "dora": (True, False), "seventeen": (False, True),
    HOST.account: (True, True), "young_link": (True, True), "stranger": (True, True), "mia": (False, False),
}  # fmt: skip


class House:
    """A market with the family of the minor `mia`."""

    def __init__(self, market: Market, guardians: Guardians) -> None:
        self.market = market
        self.guardians = guardians

    async def asked(self, units: int = 1) -> tuple[Order, Approval]:
        """A request of mia's."""
        order = await self.market.check_out(await self.market.hold("mia", (0, units)))
        return order, await self.market.approval(order)

    def actor(self, name: str, ago_ms: int = 0) -> Actor:
        """Someone who proved who they are `ago_ms` ago."""
        return Actor(name, frozenset({"guardian"}), stepped_up_ms=self.market.store.now_ms() - ago_ms)

    async def approve(self, approval: Approval, who: str = "gita", **changes: Any) -> Approval:
        """Approve what was read."""
        told = changes.get("digest", approval.digest)
        return await self.guardians.approve(self.actor(who, changes.get("ago_ms", 0)), approval.id, told, "pm_ok")

    async def age(self, name: str, kind: Any, field: str) -> None:
        """The record's time is over."""
        stored = (await self.market.store.read(self.market.shelf, name))[name]
        aged = msgspec.structs.replace(load(kind, stored), **{field: self.market.store.now_ms() - 1_000})
        await self.market.store.commit(Decision(self.market.shelf, puts=(put(name, stored, aged),)))


async def counter(house: House, where: str) -> int:
    name = f"{where}:{house.market.offers[0]}"
    return (await house.market.store.counters(house.market.shelf, name))[name]
