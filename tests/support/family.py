"""A family double: whoever is under age has the guardian `gita`, verified long ago."""

from __future__ import annotations

from livesale.guardians import store as family
from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.store.valkey import Store
from tests.support.market import HOST

MINORS = ("mia", "max")
GUARDIAN = "gita"


class Family(Guardians):
    """The guardians room without its database."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, None, _grown_up, _seller)  # type: ignore[arg-type]

    async def links_of(self, account: str) -> list[family.Link]:
        return [family.Link(f"fl_{minor}", minor, GUARDIAN, True, 0, None) for minor in MINORS]


async def _grown_up(account: str) -> tuple[bool, bool]:
    return account == GUARDIAN, True


async def _seller(_approval: Approval) -> str:
    return HOST.account
