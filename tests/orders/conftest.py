"""The market of the tests of past orders."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.store.valkey import Store
from tests.orders.ends import MINOR
from tests.support.market import Market


@pytest.fixture
async def market(store: Store, engine: AsyncEngine) -> AsyncIterator[Market]:
    """A market whose closed orders may leave for the archive; a file with other needs has one of its own."""
    made = Market(store)
    made.archives(engine)
    made.people.bands[MINOR] = "14-15"
    made.people.wards.add(MINOR)
    await made.open(10, 5, limit=4)
    yield made
    await made.check_units()
