"""A family double: whoever is under age has the guardian `gita`, verified long ago."""

from __future__ import annotations

from livesale.guardians.family import Family as Ties
from livesale.guardians.family import Tie
from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.store.valkey import Store
from tests.support.market import HOST

MINORS = ("mia", "max")
GUARDIAN = "gita"


class Family(Guardians):
    """The guardians room without its database."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, None, _grown_up, _seller, _none)  # type: ignore[arg-type]

    async def family_of(self, minor: str) -> Ties:
        return Ties([Tie(f"fl_{minor}", GUARDIAN, 0, verified=True)] if minor in MINORS else [])


async def _grown_up(account: str) -> tuple[bool, bool]:
    return account == GUARDIAN, True


async def _seller(_approval: Approval) -> str:
    return HOST.account


async def _none(_minor: str) -> list[str]:
    return []
