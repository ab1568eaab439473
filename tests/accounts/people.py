"""Someone with an account, and a clock that stands still: what the tests of accounts share."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from typing import Any

import pytest
from argon2 import PasswordHasher

from livesale.accounts.model import Account
from livesale.accounts.service import Accounts
from livesale.kernel.refusals import Refusal

KEY = bytes(32)
START_MS = 1_795_000_000_000
PASSWORD = "correct horse"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


async def ada(accounts: Accounts, **changed: Any) -> Account:
    """A new account of Ada's."""
    fields = {"email": "Ada@Example.org", "name": "Ada", "country": "de", "born": date(1990, 5, 17)}
    return await accounts.create_account(**{**fields, "password": PASSWORD, **changed})


async def code_of(awaitable: Awaitable[object]) -> str:
    """The code it is refused with."""
    with pytest.raises(Refusal) as said:
        await awaitable
    return said.value.code
