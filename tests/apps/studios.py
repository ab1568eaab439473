"""Studios on one store in one process, and viewers with the tickets `web` gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from livesale.apps.doors import WebDoors
from livesale.apps.studio import Studio
from livesale.apps.wiring import Wiring
from livesale.hub.hub import Hub
from livesale.hub.tickets import verify
from livesale.hub.wire import EventsFrame, decode
from livesale.kernel.actor import Actor
from livesale.kernel.ids import shelf
from livesale.kernel.routing import Call
from livesale.media.broadcasts import Broadcasts
from livesale.media.ring import Ring
from livesale.shows.service import LEASE
from livesale.store.record import version

HOST = Actor("host000000", frozenset({"host"}))
CALL = Call(None, {}, host="127.0.0.1:8080")
PATIENCE_S = 20


class Process:
    """A studio's process: `freeze` leaves its sockets open and lets it do nothing more, as a stopped process would."""

    def __init__(self, wiring: Wiring, name: str) -> None:
        self.hub = Hub(name, wiring.settings.key("ticket.pub"), clock_ms=wiring.store.now_ms)
        self._wiring = wiring
        self._name = name
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.url = f"ws://127.0.0.1:{await self.hub.start()}"
        self.broadcasts = Broadcasts()
        self.studio = Studio(self._wiring, self.hub, self.broadcasts, self._name, (self.url, ""))
        self._work = asyncio.create_task(self.studio.run())

    async def freeze(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def stop(self) -> None:
        await self.freeze()
        await self.hub.stop()


@asynccontextmanager
async def studios(wiring: Wiring, *names: str) -> AsyncIterator[list[Process]]:
    """Processes that are stopped afterwards; start them when it is their turn."""
    async with AsyncExitStack() as stack:
        made = [Process(wiring, name) for name in names]
        for process in made:
            stack.push_async_callback(process.stop)
        yield made


async def holds(process: Process, show: str) -> int:
    """Waits until the studio holds the show; its lease."""
    async with asyncio.timeout(PATIENCE_S):
        while show not in process.hub.shows() or process.hub.channel(show).epoch is None:
            await asyncio.sleep(0.01)
    return process.hub.channel(show).lease


async def ring_of(process: Process, show: str) -> Ring:
    """The show's ring, once there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while (ring := process.broadcasts.ring(show)) is None:
            await asyncio.sleep(0.01)
    return ring


async def join(wiring: Wiring, show: str, at: str) -> ClientConnection:
    """A viewer with a ticket for the hub named `at`."""
    doors = WebDoors(wiring)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            given = await doors.ticket(show, CALL)
            claims = verify(wiring.settings.key("ticket.pub"), given.ticket, hub=None, now_ms=wiring.store.now_ms())
            if claims.hub == at:
                break
            await asyncio.sleep(0.01)
    held = (await wiring.store.read(shelf("show", show), LEASE))[LEASE]
    assert claims.lease == version(held)
    return await connect(f"{given.hub}/v1/shows/{show}?ticket={given.ticket}", max_size=None, proxy=None)


async def first_or_code(socket: ClientConnection) -> str | int:
    """The type of the first event, or the close code."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            frame = decode(await socket.recv(decode=False))
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
    assert isinstance(frame, EventsFrame)
    return str(frame.events[0]["type"])


async def notices_of(viewer: ClientConnection, about: str, count: int) -> list[str]:
    """The next `count` values of a notice about something."""
    found: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            frame = decode(await viewer.recv(decode=False))
            events = frame.events if isinstance(frame, EventsFrame) else []
            found += [event[about] for event in events if event["type"] == "notice" and event["about"] == about]
    return found


class Page:
    """A host's page without UDP; `gone` once its socket is closed by the studio."""

    gone = False

    def tell(self, message: dict[str, object]) -> None:
        """Nobody reads it."""

    async def hang_up(self) -> None:
        self.gone = True
