"""Fixtures of the hub's tests: they run on uvloop, as the hub does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from livesale.hub.limits import Limits
from tests.hub.viewers import House

Start = Callable[..., Awaitable[House]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop: its transports say differently when they are blocked."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts houses, and stops them after the test."""
    houses: list[House] = []

    async def begin(*, port: int = 0, **fields: object) -> House:
        house = await House(**fields).start(port)
        houses.append(house)
        return house

    yield begin
    for house in reversed(houses):
        await house.hub.stop()


@pytest.fixture
async def house(start: Start) -> House:
    """A studio's hub with quick sweeps."""
    return await start(limits=Limits(sweep_ms=50, must_delay_ms=20))
