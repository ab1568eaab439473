"""The fan-out writes past the transports: by descriptors of its own, which nothing else may close or mistake."""

from __future__ import annotations

import asyncio
import os

from livesale.hub.connection import HubConnection
from tests.hub.conftest import Start
from tests.hub.test_slow import QUICK, Stalled, run_until
from tests.hub.viewers import PATIENCE_S, SHOW, House, Source


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def until_at_most(files: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while open_files() > files:
            await asyncio.sleep(0.01)


async def test_whoever_goes_takes_its_descriptor_along(start: Start) -> None:
    """Viewers who leave, vanish, are closed as too slow or with the show leave no descriptor behind, with media or without."""
    house = await start(limits=QUICK)
    channel = house.open()
    source = Source(channel, picture_bytes=40_000)
    source.begin()
    before = open_files()
    polite, rude, last = await house.join(), await house.join(), await house.join(media=0)
    stalled = await Stalled(house).join()
    await run_until(source, lambda: any(each.outbox and each.outbox.blocked for each in channel.receivers()))
    assert open_files() > before + 2 * len(channel.receivers()), "each end of a line is one, and a live viewer's another"

    await polite.socket.close()
    rude.socket.transport.abort()
    await run_until(source, lambda: channel.stats.slow_closed == 1 and len(channel.receivers()) == 1)
    stalled.socket.close()
    house.hub.end(SHOW)
    await last.closed()

    await until_at_most(before)


async def test_only_an_empty_transport_is_passed_by(house: House) -> None:
    """While a transport holds bytes only it may write, or frames would overtake them; once it closes, nobody has a use for it."""
    channel = house.open()
    stalled = await Stalled(house).join()
    (receiver,) = channel.receivers()
    connection: HubConnection = receiver.connection
    own = connection.own_descriptor()
    assert os.path.sameopenfile(own, connection.transport.get_extra_info("socket").fileno())
    os.close(own)

    connection.transport.write(bytes(16 << 20))
    assert connection.own_descriptor() == -1
    connection.transport.abort()
    assert connection.own_descriptor() == -1
    stalled.socket.close()
