"""Wires: every command gets its own reply, or is told that there is none; a lost connection is made anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import AuthenticationError, ConnectionError, ResponseError

from livesale.store import wire
from livesale.store.wire import Asked, Wires
from tests.support.valkey import ValkeyProcess

Lines = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def wires(url: str, count: int = 2) -> AsyncIterator[Wires]:
    """Open wires to `url`."""
    made = Wires(url, count)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def asked(to: Wires, *commands: tuple[Any, ...]) -> list[asyncio.Future[Any]]:
    """The outcomes of `commands`, sent as one lot."""
    lot = [Asked(command, asyncio.get_running_loop().create_future()) for command in commands]
    to.send(lot)
    return [one.outcome for one in lot]


async def answers(to: Wires, *commands: tuple[Any, ...]) -> list[Any]:
    """The replies to `commands`, sent as one lot."""
    async with asyncio.timeout(20):
        return await asyncio.gather(*asked(to, *commands))


async def test_each_command_gets_its_own_reply_and_errors_are_replies(valkey: ValkeyProcess) -> None:
    """Many lots at once, one with an error in the middle: nobody gets another's."""
    async with wires(valkey.url) as made:
        lots = [answers(made, *(("ECHO", f"{lot}.{place}") for place in range(20))) for lot in range(50)]
        assert await asyncio.gather(*lots) == [[b"%d.%d" % (lot, place) for place in range(20)] for lot in range(50)]
        first, wrong, last = await answers(made, ("ECHO", "a"), ("NO-SUCH-COMMAND",), ("ECHO", "b"))
        assert (first, last) == (b"a", b"b")
        assert isinstance(wrong, ResponseError)


async def test_what_a_killed_store_owed_is_asked_once_more(
    valkey: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that wait in the store when it is killed (-9) are answered by the one that takes its place."""
    monkeypatch.setattr(wire, "GIVEN_UP_S", 30)  # however slow this machine is
    async with wires(valkey.url) as made:
        waiting = asked(made, ("BLPOP", "nothing", 0), ("ECHO", "behind it"))
        await answers(made, ("PING",))
        await asyncio.to_thread(valkey.kill)
        await asyncio.to_thread(valkey.start)
        async with wires(valkey.url, 1) as other:
            await answers(other, ("RPUSH", "nothing", "now"))
        async with asyncio.timeout(20):
            assert await asyncio.gather(*waiting) == [[b"nothing", b"now"], b"behind it"]


async def test_whoever_asks_a_store_that_is_away_is_told_so(
    valkey: ValkeyProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command waits for ever; when the store is back, so are the connections."""
    monkeypatch.setattr(wire, "GIVEN_UP_S", 0.2)
    async with wires(valkey.url) as made:
        valkey.kill()
        try:
            [told] = await answers(made, ("PING",))
        finally:
            await asyncio.to_thread(valkey.start)
        assert isinstance(told, ConnectionError)
        while isinstance(await answers(made, ("PING",)), ConnectionError):
            pass


async def test_closing_answers_whoever_still_waits(valkey: ValkeyProcess) -> None:
    """A command that waits in the store when its wires are closed."""
    async with wires(valkey.url) as made:
        [waiting] = asked(made, ("BLPOP", "nothing", 0))
    assert isinstance(await waiting, ConnectionError)


async def test_a_store_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With answers owed and nothing heard, the connection is given up and the command asked over another."""
    monkeypatch.setattr(wire, "SILENT_S", 0.2)
    seen = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        async for line in reader:
            if line.strip() in (b"HELLO", b"PING"):
                writer.write(b"+OK\r\n")
            elif line.strip() == b"ECHO":
                seen += 1
                if seen > 1:  # the first one hangs
                    writer.write(b"+here\r\n")
        writer.close()

    async with _server(tmp_path, talk) as url, wires(url, 1) as made:
        assert await answers(made, ("ECHO", "x")) == [b"here"]
    assert seen == 2


async def test_what_is_no_word_of_the_protocol_ends_the_connection(tmp_path: Path) -> None:
    """Its commands are asked over a new one; those it spoils twice are told."""
    dialled = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialled
        dialled += 1
        async for line in reader:
            if line.strip() in (b"HELLO", b"PING"):
                writer.write(b"+OK\r\n")
            elif line.strip() == b"ECHO":
                writer.write(b"hello there\r\n")
        writer.close()

    async with _server(tmp_path, talk) as url, wires(url, 1) as made:
        [told] = await answers(made, ("ECHO", "x"))
    assert isinstance(told, ConnectionError)
    assert dialled >= 2


async def test_a_url_may_name_an_account_and_a_database(tmp_path: Path) -> None:
    """The account is told with the first word, the database chosen before anything is asked; a refusal is raised."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            word = line.strip()
            heard.append(word)
            if word == b"PING":
                writer.write(b"-WRONGPASS no\r\n")
            elif word in (b"HELLO", b"SELECT"):
                writer.write(b"+OK\r\n")
        writer.close()

    async with _server(tmp_path, talk) as url:
        with pytest.raises(AuthenticationError):
            await Wires(f"unix://ann:secret@{url.removeprefix('unix://')}?db=3", 1).open()
    words = [word for word in heard if not word.startswith((b"*", b"$"))]
    assert words == [b"HELLO", b"3", b"AUTH", b"ann", b"secret", b"SELECT", b"3", b"PING"]


@asynccontextmanager
async def _server(folder: Path, talk: Lines) -> AsyncIterator[str]:
    server = await asyncio.start_unix_server(talk, folder / "s.sock")
    try:
        yield f"unix://{folder / 's.sock'}"
    finally:
        server.close()
