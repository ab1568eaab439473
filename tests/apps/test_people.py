"""People: accounts wanted at the same moment are read together, and everyone hears of his own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from livesale.accounts.countries import shipped
from livesale.accounts.model import Account, Age
from livesale.apps.people import People
from livesale.kernel.refusals import Refusal


class AccountsDouble:
    """Knows whoever's name begins with `a`; `fails` times it fails first."""

    def __init__(self, fails: int = 0) -> None:
        self.reads: list[list[str]] = []
        self.fails = fails

    async def with_keys(self, accounts: Iterable[str]) -> dict[str, tuple[Account, bytes]]:
        wanted = sorted(accounts)
        self.reads.append(wanted)
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is away")
        age = Age("adult", "", "verified", "test")
        place = shipped().place("DE")
        return {
            one: (Account(one, "", one.upper(), "DE", frozenset(), age, 0, place=place), b"")
            for one in wanted
            if one[0] == "a"
        }


def people(accounts: AccountsDouble) -> People:
    """People over the double; the clock stands still."""
    store: Any = SimpleNamespace(now_ms=lambda: 0)
    double: Any = accounts
    return People(store, double)


async def test_who_is_wanted_together_is_read_together() -> None:
    """A hundred askers of three accounts cost two reads at most, and each gets the account it asked for."""
    accounts = AccountsDouble()
    ours = people(accounts)
    names = await asyncio.gather(*(ours.name_of(f"a{number % 3}") for number in range(100)))
    assert names == [f"A{number % 3}" for number in range(100)]
    assert sorted(one for read in accounts.reads for one in read) == ["a0", "a1", "a2"]
    assert len(accounts.reads) <= 2


async def test_who_is_not_there_harms_nobody() -> None:
    """An account that does not exist is refused to who asked for it, alone; and it is asked for again next time."""
    accounts = AccountsDouble()
    ours = people(accounts)
    there, gone = await asyncio.gather(ours.age_band("a1"), ours.age_band("b1"), return_exceptions=True)
    assert there == "adult"
    assert isinstance(gone, Refusal) and gone.code == "not_found"
    assert await ours.name_of("b1") == ""  # as of one that is erased
    assert sum(read.count("b1") for read in accounts.reads) == 2


async def test_a_read_that_fails_is_tried_again_by_the_next() -> None:
    """Everyone who waited hears of the failure; whoever comes after is served. An asker who leaves takes nobody along."""
    ours = people(AccountsDouble(fails=1))
    assert [type(one) for one in await asyncio.gather(ours.name_of("a1"), ours.name_of("a1"), return_exceptions=True)] == [
        OSError, OSError,
    ]  # fmt: skip
    leaves, stays = asyncio.create_task(ours.name_of("a1")), asyncio.create_task(ours.name_of("a1"))
    await asyncio.sleep(0)
    leaves.cancel()
    assert await stays == "A1"
