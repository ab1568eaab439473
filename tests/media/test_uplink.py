"""Publishing by WebSocket: the messages, who is let in, and what becomes of a connection that breaks."""

from __future__ import annotations

import json
import struct
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from livesale.media.frames import AUDIO, AUDIO_HZ, VIDEO, VIDEO_HZ
from livesale.media.ring import Item
from livesale.media.uplink import TAKEN, read_frame
from tests.media.test_h264 import CHROMIUM_540P
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.proxy import VanishingProxy

START = b"\0\0\0\1"
KEY = START + CHROMIUM_540P + START + b"\x68\xce\x3c\x80" + START + b"\x65key"
DELTA = START + b"\x61delta"
SOUND = b"\xf8sound"
HELLO = {"type": "publish", "token": TOKEN}


def message(track: int, time_us: int, payload: bytes) -> bytes:
    return struct.pack(">BQ", track, time_us) + payload


async def enter(client: aiohttp.ClientSession, show: str = "s1", **hello: Any) -> aiohttp.ClientWebSocketResponse:
    """A socket that has said who it is."""
    socket = await client.ws_connect(f"/whip/{show}/socket")
    await socket.send_json({**HELLO, **hello})
    return socket


async def told(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message to the page."""
    return json.loads(await socket.receive_str(timeout=10))


def test_messages_are_frames() -> None:
    """A picture's NAL units without start codes, a sound packet as it is, both in their own clock."""
    picture = read_frame(message(VIDEO, 2_000_000, KEY))
    assert picture is not None
    assert (picture.key, picture.rtp_time, [unit[0] & 31 for unit in picture.units]) == (True, 2 * VIDEO_HZ, [7, 8, 5])
    delta, sound = read_frame(message(VIDEO, 1, DELTA)), read_frame(message(AUDIO, 1_000_000, SOUND))
    assert delta is not None
    assert sound is not None
    assert not delta.key
    assert (sound.units, sound.rtp_time) == ((SOUND,), AUDIO_HZ)


@pytest.mark.parametrize("rubbish", [b"", b"\1", message(VIDEO, 1, b""), message(VIDEO, 1, b"\0\0\1"), message(9, 1, KEY)])
def test_rubbish_is_no_frame(rubbish: bytes) -> None:
    """What cannot be read is none, and nothing raises."""
    assert read_frame(rubbish) is None


async def test_what_a_page_sends_goes_on_air(server: MediaServer, client: aiohttp.ClientSession) -> None:
    """A page that begins within a group of pictures is asked for a key frame; from there on all goes on, and it hears
    how far its pictures have come.
    """
    socket = await enter(client)
    assert await told(socket) == {"type": "ready"}
    await socket.send_bytes(message(VIDEO, 1_000_000, DELTA))
    asked = [await told(socket), await told(socket)]
    assert sorted(one["type"] for one in asked) == ["got", "key"]
    for number in range(4):
        await socket.send_bytes(message(VIDEO, 1_100_000 + number * 33_000, DELTA if number else KEY))
        await socket.send_bytes(message(AUDIO, 1_100_000 + number * 20_000, SOUND))
    await socket.send_bytes(b"rubbish")
    await until(lambda: len(server.fragments(VIDEO)) == 4 and len(server.fragments(AUDIO)) == 4)
    assert [one.key for one in server.fragments(VIDEO)] == [True, False, False, False]
    assert server.states == [("s1", "live")]
    stats = server.broadcasts.stats("s1")
    assert stats is not None
    assert (stats.height, stats.packets_lost, stats.sound) == (540, 1, True)
    await socket.close()
    await until(lambda: server.hosts == ["away"])


async def test_a_host_comes_back_by_another_socket(server: MediaServer, client: aiohttp.ClientSession) -> None:
    """A connection that broke leaves the show free, and the next goes on behind it, in a new generation."""
    for _ in range(2):
        socket = await enter(client)
        assert await told(socket) == {"type": "ready"}
        await socket.send_bytes(message(VIDEO, 5_000_000, KEY))
        await until(lambda: server.states[-1:] == [("s1", "live")])
        await socket.close()
        await until(lambda: server.states[-1:] == [("s1", "ended")])
    assert server.hosts == ["away", "back", "away"]
    server.ring("s1").flush()  # the second may still wait for company
    first, second = server.fragments(VIDEO)
    assert (second.generation, second.key) == (first.generation + 1, True)
    assert second.time_us > first.time_us


async def test_a_host_that_does_not_come_back_is_let_go() -> None:
    """After the grace period viewers are told that the host is gone; the show stays open for it all the same."""
    async with media_server(grace_s=0.05) as server, aiohttp.ClientSession(server.url) as client:
        server.open("s1")
        for _ in range(2):
            socket = await enter(client)
            await socket.send_bytes(message(VIDEO, 5_000_000, KEY))
            await until(lambda: server.states[-1:] == [("s1", "live")])
            await socket.close()
            await until(lambda: server.hosts[-1:] == ["gone"])
    assert server.hosts == ["away", "gone", "back", "away", "gone"]


async def test_a_host_that_falls_silent_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that says nothing is lost, not ended, and let go of with the grace period."""
    monkeypatch.setattr("livesale.media.publisher.LOST_AFTER_S", 0.05)
    monkeypatch.setattr("livesale.media.publisher.TICK_S", 0.02)
    async with media_server(grace_s=1) as server, aiohttp.ClientSession(server.url) as client:
        server.open("s1")
        socket = await enter(client)
        await socket.send_bytes(message(VIDEO, 5_000_000, KEY))
        await until(lambda: server.hosts == ["away"])
        await socket.send_bytes(message(VIDEO, 5_500_000, DELTA))
        await until(lambda: server.hosts == ["away", "back", "away", "gone"])
        assert [state for _, state in server.states] == ["live", "lost", "live", "lost", "ended"]


async def test_a_page_that_vanishes_is_let_go(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket says nothing any more and is not closed: the host is away at once, and when a ping stays without an
    answer the socket is closed and the show free for another."""
    monkeypatch.setattr("livesale.media.publisher.LOST_AFTER_S", 0.1)
    monkeypatch.setattr("livesale.media.publisher.TICK_S", 0.02)
    monkeypatch.setattr("livesale.media.uplink_door.SILENT_S", 1.0)
    async with VanishingProxy(urlsplit(server.url).port or 0) as network:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{network.port}") as client:
            socket = await enter(client)
            await socket.send_bytes(message(VIDEO, 5_000_000, KEY))
            await until(lambda: server.states[:1] == [("s1", "live")])
            network.vanish()
            await until(lambda: server.states == [("s1", state) for state in ("live", "lost", "ended")])
            assert server.hosts == ["away"]
            await until(lambda: server.broadcasts.stats("s1") is None)


async def test_shows_in_one_process_do_not_touch_each_other(server: MediaServer, client: aiohttp.ClientSession) -> None:
    """Two hosts at once, each in its own show; when one show is closed the other goes on."""
    made: list[Item] = []
    server.broadcasts.open("s2", time.time_ns() // 1_000_000).subscribe(made.append)
    sockets = [await enter(client, show) for show in ("s1", "s2")]
    for socket in sockets:
        await socket.send_bytes(message(VIDEO, 1_000_000, KEY))
    await until(lambda: set(server.states) == {("s1", "live"), ("s2", "live")})
    await server.broadcasts.close("s1")
    before = len(made)
    await sockets[1].send_bytes(message(VIDEO, 1_033_000, DELTA))
    await until(lambda: len(made) > before)
    assert len(server.fragments(VIDEO)) == 1
    assert server.broadcasts.shows() == ["s2"]


async def test_only_one_publisher_at_a_time(server: MediaServer, client: aiohttp.ClientSession) -> None:
    """A second socket is refused unless it takes over; the first is then closed with a code that says so."""
    first = await enter(client)
    assert await told(first) == {"type": "ready"}
    second = await enter(client)
    refused = await told(second)
    assert (refused["type"], refused["status"], refused["code"]) == ("refused", 409, "conflict")
    third = await enter(client, takeover=True)
    assert await told(third) == {"type": "ready"}
    closed = await first.receive(timeout=10)
    assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, TAKEN)


@pytest.mark.parametrize(
    ("show", "hello", "code"),
    [("s1", {"token": "other"}, "forbidden"), ("s1", {"token": 3}, "malformed"), ("s2", {}, "show_not_live")],
)
async def test_refusals(client: aiohttp.ClientSession, show: str, hello: dict[str, Any], code: str) -> None:
    """Whoever may not publish is told why, and the socket is closed."""
    socket = await enter(client, show, **hello)
    assert (await told(socket))["code"] == code
    assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE
