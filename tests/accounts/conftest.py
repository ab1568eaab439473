"""Accounts on a real database, in one process and in another."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.passwords import Passwords
from livesale.accounts.service import Accounts
from livesale.accounts.tokens import Tokens
from tests.accounts.people import KEY, QUICK, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(engine: AsyncEngine, clock: Clock) -> Accounts:
    return Accounts(engine, Tokens(KEY), KEY, now_ms=clock, passwords=Passwords(QUICK))


@pytest.fixture
def elsewhere(engine: AsyncEngine, clock: Clock) -> Accounts:
    """The same accounts in another process."""
    return Accounts(engine, Tokens(KEY), KEY, now_ms=clock, passwords=Passwords(QUICK))
