"""Family doubles: whoever is under age has the guardian `gita`, verified long ago; or a family kept on its shelf alone."""

from __future__ import annotations

from livesale.guardians.families import Families
from livesale.guardians.family import Family as Ties
from livesale.guardians.family import Tie
from livesale.guardians.model import Approval, Guardian
from livesale.guardians.service import Guardians
from livesale.guardians.store import Link
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


class Kin(Families):
    """Families without rows in SQL: `mia` is the only minor."""

    async def links_of(self, account: str) -> list[Link]:
        ties = (await self.of("mia")).ties
        return [Link(one.id, "mia", one.guardian, one.verified, one.since, one.ends_at) for one in ties]

    async def copied(self, minor: str) -> None:
        return None

    async def _older(self, minor: str) -> list[Tie]:
        return []


class House(Guardians):
    """The guardians room over `Kin`; everyone but `mia` is grown up, and what is open is read off the show's shelf."""

    def __init__(self, store: Store, show: str) -> None:
        async def adult(account: str) -> tuple[bool, bool]:
            return account != "mia", True

        async def open_of(_minor: str) -> list[str]:
            return [name[9:] for name in await store.records(show) if name.startswith("approval:")]

        super().__init__(store, None, adult, _seller, open_of)  # type: ignore[arg-type]

    @property
    def families(self) -> Kin:
        return Kin(self.store, self.database)


class WardsDouble:
    """What spending asks of people: everything is a toy, nothing is sealed, everyone lives in Germany."""

    def __init__(self, guardians: Guardians, category: str = "Toys > Puzzles") -> None:
        self.guardians = guardians
        self.category = category

    async def country_of(self, _account: str) -> str:
        return "DE"

    async def unseal(self, _account: str, sealed: bytes, _context: str) -> bytes:
        return sealed

    async def guardian(self, account: str, approval: Approval) -> Guardian:
        return await self.guardians.guardian(account, approval)

    async def category_of(self, _product: str) -> str:
        return self.category


async def _grown_up(account: str) -> tuple[bool, bool]:
    return account == GUARDIAN, True


async def _seller(_approval: Approval) -> str:
    return HOST.account


async def _none(_minor: str) -> list[str]:
    return []
