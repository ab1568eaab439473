"""Wires: connections to Valkey over which commands leave without waiting for the answers to those before.

redis-py's pipelines cost 30 µs of CPU a command in lots of eight and 100 µs for one alone, these 3 and 13 (COMMIT.md).
What parses is the same, hiredis with redis-py's errors; what subscribes or scans still uses redis-py.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import hiredis
import msgspec
from redis.asyncio.connection import parse_url
from redis.connection import DefaultParser
from redis.exceptions import ConnectionError, InvalidResponse, RedisError

Command = tuple[Any, ...]

PORT = 6379
CONNECT_S = 5.0
CONNECT_AGAIN_S = 0.05
GIVEN_UP_S = 2.0  # a store that was killed is back within a second; longer, and whoever asks is told so
SILENT_S = 10.0  # with answers owed: it hangs, or what lies between swallows everything


class Asked(msgspec.Struct, eq=False):
    """A command, where its reply goes, and whether it was on a connection that was lost.

    An error is a reply like any other: it is the outcome's result, not raised.
    """

    command: Command
    outcome: asyncio.Future[Any]
    again: bool = False

    def answer(self, reply: Any) -> None:
        """Hand the reply over, if anybody still waits."""
        if not self.outcome.done():
            self.outcome.set_result(reply)


class _Connection(asyncio.Protocol):
    """One connection: what was asked over it and is not answered yet, in order; `gone` is done when it is lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=DefaultParser.parse_error)
        self._transport: Any = None
        self.owed: deque[Asked] = deque()
        self.heard_s = 0.0
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._loop.time()
        self._reader.feed(data)
        try:
            while self.owed and (reply := self._reader.gets()) is not False:
                self.owed.popleft().answer(reply)
        except RedisError:  # no word of the protocol: where the next reply begins is unknown
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    @property
    def usable(self) -> bool:
        """Whether commands may be sent."""
        return not self.gone.done() and not self._transport.is_closing()

    def send(self, lot: Iterable[Asked]) -> None:
        """Send all of `lot` in one write."""
        if not self.owed:
            self.heard_s = self._loop.time()
        packed = []
        for asked in lot:
            packed.append(hiredis.pack_command(asked.command))
            self.owed.append(asked)
        self._transport.write(b"".join(packed))

    def abort(self) -> None:
        """Give the connection up, at once."""
        self._transport.abort()


class Wires:
    """`count` connections to the Valkey at `url`. A lost one is made anew, and what it owed is asked once more.

    So a command may be carried out twice: every writing one must bear that, as commits do.
    """

    def __init__(self, url: str, count: int) -> None:
        self._at = parse_url(url)
        self._count = count
        self._connections: list[_Connection] = []
        self._parked: dict[Asked, None] = {}  # until there is a connection
        self._keeping: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect; RedisError when the store does not answer."""
        made = [await self._connected() for _ in range(self._count)]
        self._keeping = [asyncio.create_task(self._keep(connection)) for connection in made]
        self._connections += made

    async def close(self) -> None:
        """End all connections; whoever still waits for a reply gets a ConnectionError."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        owed = [asked for connection in self._connections for asked in connection.owed]
        for asked in (*owed, *self._parked):
            asked.answer(ConnectionError("the connection to the store was closed"))
        for connection in self._connections:
            connection.abort()
        await asyncio.gather(*(connection.gone for connection in self._connections))

    def send(self, lot: Sequence[Asked]) -> None:
        """Send `lot` over the connection that owes least, or over the first there is again."""
        usable = [connection for connection in self._connections if connection.usable]
        if usable:
            min(usable, key=lambda connection: len(connection.owed)).send(lot)
        else:
            self._park(lot)

    def _park(self, lot: Sequence[Asked]) -> None:
        self._parked |= dict.fromkeys(lot)
        asyncio.get_running_loop().call_later(GIVEN_UP_S, self._give_up, lot)

    def _give_up(self, lot: Sequence[Asked]) -> None:
        for asked in lot:
            if asked in self._parked:
                del self._parked[asked]
                asked.answer(ConnectionError("the store does not answer"))

    async def _keep(self, connection: _Connection) -> None:
        """Watch over a connection, and over those that take its place."""
        while True:
            while not connection.gone.done():
                await asyncio.wait((connection.gone,), timeout=SILENT_S / 2)
                silent_s = asyncio.get_running_loop().time() - connection.heard_s
                if connection.owed and silent_s > SILENT_S and connection.usable:
                    connection.abort()
            self._connections.remove(connection)
            self._ask_again(connection)
            connection = await self._connected_at_last()
            self._connections.append(connection)
            if self._parked:
                lot, self._parked = list(self._parked), {}
                connection.send(lot)

    def _ask_again(self, lost: _Connection) -> None:
        lot = []
        for asked in lost.owed:
            if asked.again:
                asked.answer(ConnectionError("the connection to the store was lost, twice"))
            else:
                asked.again = True
                lot.append(asked)
        if lot:  # over a new connection: the others may be as dead and not know it yet
            self._park(lot)

    async def _connected_at_last(self) -> _Connection:
        while True:
            with contextlib.suppress(RedisError):
                return await self._connected()
            await asyncio.sleep(CONNECT_AGAIN_S)

    async def _connected(self) -> _Connection:
        """A connection that is signed in and answers; RedisError when there is none to be had."""
        try:
            async with asyncio.timeout(CONNECT_S):
                connection = await self._dialled()
                await self._greet(connection)
        except OSError as error:  # TimeoutError is one
            raise ConnectionError(str(error) or "no answer in time") from error
        return connection

    async def _greet(self, connection: _Connection) -> None:
        try:
            for command in self._greetings():
                greeting = Asked(command, asyncio.get_running_loop().create_future())
                connection.send((greeting,))
                await asyncio.wait((greeting.outcome, connection.gone), return_when=asyncio.FIRST_COMPLETED)
                reply = greeting.outcome.result() if greeting.outcome.done() else ConnectionError("closed")
                if isinstance(reply, Exception):
                    raise reply
        except BaseException:
            connection.abort()
            raise

    async def _dialled(self) -> _Connection:
        loop, at = asyncio.get_running_loop(), self._at
        if "path" in at:
            _, connection = await loop.create_unix_connection(_Connection, at["path"])
            return connection
        secure = ssl.create_default_context() if at.get("connection_class") else None
        host = at.get("host") or "localhost"
        _, connection = await loop.create_connection(_Connection, host, at.get("port") or PORT, ssl=secure)
        return connection

    def _greetings(self) -> list[Command]:
        """RESP3, the account, the database; a store that still loads its file refuses the PING."""
        at = self._at
        account = ("AUTH", at.get("username") or "default", at["password"]) if at.get("password") else ()
        chosen: list[Command] = [("SELECT", at["db"])] if at.get("db") else []
        return [("HELLO", 3, *account), *chosen, ("PING",)]
