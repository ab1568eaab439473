"""Our ICE connection: aioice's private names are where they were, and a restart moves data to the new pair."""

from __future__ import annotations

import asyncio

import aioice
import pytest

from livesale.media import ice
from livesale.media.ice import IceConnection


def test_the_private_names_of_aioice_are_where_they_were() -> None:
    """livesale.media.ice builds on them: a version that moved one is noticed here."""
    missing = ice.missing_names()
    assert not missing, f"aioice no longer has {', '.join(missing)}: read its ice.py anew, then adapt IceConnection."


async def test_a_moved_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract test can fail: a name taken away is named."""
    monkeypatch.delattr(aioice.ice.Connection, "_check_periodic")
    assert ice.missing_names() == ["Connection._check_periodic"]


async def gathered(connection: aioice.Connection) -> aioice.Connection:
    await connection.gather_candidates()
    return connection


async def introduce(one: aioice.Connection, other: aioice.Connection) -> None:
    """`one` knows the words and candidates of `other`."""
    one.remote_username, one.remote_password = other.local_username, other.local_password
    for candidate in other.local_candidates:
        await one.add_remote_candidate(candidate)
    await one.add_remote_candidate(None)


async def test_after_a_restart_data_goes_to_the_new_place() -> None:
    """The other side moves to other sockets; old words are refused then, and what is sent arrives at the new ones."""
    ours = IceConnection(ice_controlling=False)
    await gathered(ours)
    first = await gathered(aioice.Connection(ice_controlling=True))
    await introduce(first, ours)
    await introduce(ours, first)
    await asyncio.gather(ours.connect(), first.connect())
    old_words = (ours.local_username, ours.local_password)

    second = await gathered(aioice.Connection(ice_controlling=True))
    ours.restart(second.local_username, second.local_password)
    await ours.send(b"still to the old one")
    assert await first.recv() == b"still to the old one"
    assert (ours.local_username, ours.local_password) != old_words
    await introduce(second, ours)
    await ours.add_restarted(second.local_candidates)
    await second.connect()
    await second.send(b"from the new one")
    assert await ours.recv() == b"from the new one"
    await ours.send(b"to the new one")
    assert await second.recv() == b"to the new one"

    for connection in (first, second, ours):
        await connection.close()
