"""Minors double: what marking an order asks of accounts and families; corrections and invitations are kept for the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS
from livesale.orders.floating import Found
from tests.support.market import Market

LEGAL_MS = 14 * DAY_MS
BORN = date(2011, 5, 4)
OPERATOR = Actor("op00000000", frozenset({"operator"}), stepped_up_ms=2**50)


@dataclass
class MinorsDouble:
    """Whoever is corrected is a minor from then on; `linked`: whether anybody could be asked."""

    market: Market
    linked: bool = True
    found: Found = field(default_factory=lambda: Found(False, None, LEGAL_MS))
    corrected: list[str] = field(default_factory=list)
    invited: list[tuple[str, str, str]] = field(default_factory=list)

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        return sealed

    async def correct_age(self, by: Actor, account: str, born: date) -> Found:
        self.corrected.append(account)
        self.market.people.bands[account] = "14-15"
        return self.found

    async def has_guardian(self, account: str) -> bool:
        return self.linked

    async def invite(self, account: str, email: str, approval: str, until: int) -> None:
        self.invited.append((account, email, approval))
