"""The family's house, open for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.guardians.family import FAMILY, Family, Tie
from livesale.guardians.model import LINK_MUST_STAND_MS, Approval
from livesale.guardians.service import Guardians
from livesale.store.decision import Decision, Put
from livesale.store.record import encode
from livesale.store.valkey import Store
from tests.guardians.house import PEOPLE, House
from tests.support.market import HOST, Market


@pytest.fixture
async def house(store: Store, engine: AsyncEngine) -> AsyncIterator[House]:
    market = Market(store)
    market.people.bands, market.people.wards = {"mia": "14-15"}, {"mia"}
    await market.open(20)

    async def age_of(account: str) -> tuple[bool, bool]:
        return PEOPLE[account]

    async def seller_of(_approval: Approval) -> str:
        return HOST.account

    async def open_of(minor: str) -> list[str]:
        records = await store.records(market.shelf)
        return [name.removeprefix("approval:") for name in records if name.startswith("approval:")]

    guardians = Guardians(store, engine, age_of, seller_of, open_of)
    now_ms = store.now_ms()
    since = {name: now_ms - 2 * LINK_MUST_STAND_MS for name in PEOPLE if name not in ("stranger", "mia")}
    ties = [Tie(f"fl_{name}", name, at) for name, at in {**since, "young_link": now_ms}.items()]
    await store.commit(Decision("person:mia", puts=(Put(FAMILY, 0, encode(Family(ties))),)))
    await guardians.families.copied("mia")
    yield House(market, guardians)
    await market.check_units()
