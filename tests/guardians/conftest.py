"""The family's house, open for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.guardians import store as family
from livesale.guardians.model import LINK_MUST_STAND_MS, Approval
from livesale.guardians.service import Guardians
from livesale.store.valkey import Store
from tests.guardians.house import PEOPLE, House
from tests.support.market import HOST, Market


@pytest.fixture
async def house(store: Store, engine: AsyncEngine) -> AsyncIterator[House]:
    market = Market(store)
    market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
    await market.open(20)
    long_ago = store.now_ms() - 2 * LINK_MUST_STAND_MS
    async with engine.begin() as connection:
        for name, since in {name: long_ago for name in PEOPLE if name != "stranger"}.items():
            await family.link(connection, "mia", name, False, store.now_ms() if name == "young_link" else since)

    async def age_of(account: str) -> tuple[bool, bool]:
        return PEOPLE[account]

    async def seller_of(_approval: Approval) -> str:
        return HOST.account

    yield House(market, Guardians(store, engine, age_of, seller_of))
    await market.check_units()
