"""Whole WHIP sessions from a publisher that sends bytes: what hosts do while they are on air, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import av
import psutil
import pytest

from livesale.media import h264
from livesale.media.frames import AUDIO, VIDEO
from livesale.media.ingest import PeerPublisher
from livesale.media.publisher import WAITING
from tests.media.test_h264 import CHROMIUM_360P
from tests.media.test_uplink import KEY, enter, message, told
from tests.support.badline import bad_line
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.publisher import Camera, Microphone, Publisher

Publish = Callable[..., Awaitable[Publisher]]


@pytest.fixture
async def publish() -> AsyncIterator[Publish]:
    """`await publish(server, tracks…, query="", show="s1", …)`: a publisher on air, gone after the test."""
    async with AsyncExitStack() as stack:

        async def begin(server: MediaServer, *devices: Camera | Microphone, path: str = "s1", **alters: object) -> Publisher:
            tracks = [device.track() for device in devices]
            made = Publisher(f"{server.url}/whip/{path}", TOKEN, *tracks, **alters)
            stack.push_async_callback(made.leave)
            return await made.start()

        yield begin


def upright() -> bytes:
    """x264's SPS of a picture of 360×640."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 360, 640, "yuv420p"
    encoder.options = {"profile": "baseline", "tune": "zerolatency"}
    packets = [*encoder.encode(av.VideoFrame(360, 640, "yuv420p")), *encoder.encode(None)]
    return next(unit for unit in h264.split_annex_b(bytes(packets[0])) if h264.nal_type(unit) == h264.SPS)


def size_of(server: MediaServer) -> tuple[int, int]:
    """What the studio page is told."""
    stats = server.broadcasts.stats("s1")
    return (stats.width, stats.height) if stats else (0, 0)


def unbroken(server: MediaServer, track: int) -> bool:
    """Time grows, and each generation counts from 0, its first fragment one to begin with."""
    made = server.fragments(track)
    for before, after in zip(made, made[1:], strict=False):
        follows = (after.generation, after.sequence) == (before.generation, before.sequence + 1)
        begins = after.generation > before.generation and after.sequence == 0 and after.key
        if not (after.time_us > before.time_us and (follows or begins)):
            return False
    return made[0].key and made[0].sequence == 0


async def test_a_host_changes_camera_size_and_stance_and_is_muted(server: MediaServer, publish: Publish) -> None:
    """Another size, another camera, a phone that is turned: each begins a generation of the picture with its own init and
    a key frame, and leaves the sound alone; a muted microphone is filled with silence. Nothing ends, nobody is away."""
    camera, microphone = Camera(), Microphone()
    await publish(server, microphone, camera)
    await until(lambda: size_of(server) == (1280, 720))
    for sps, size in ((CHROMIUM_360P, (640, 360)), (upright(), (360, 640)), (Camera().sps, (1280, 720))):
        camera.sps = sps
        await until(lambda size=size: size_of(server) == size)
    microphone.on = False
    muted, pictures = len(server.fragments(AUDIO)), len(server.fragments(VIDEO))
    await until(lambda: len(server.fragments(AUDIO)) > muted + 30 and len(server.fragments(VIDEO)) > pictures + 10)

    assert [init.generation for init in server.inits(VIDEO)] == [1, 2, 3, 4]
    assert len({init.data for init in server.inits(VIDEO)}) == 3
    assert [init.generation for init in server.inits(AUDIO)] == [1]
    assert unbroken(server, VIDEO)
    assert unbroken(server, AUDIO)
    assert (server.states, server.hosts) == ([("s1", "live")], [])


@pytest.mark.parametrize("alone", [Camera, Microphone])
async def test_a_host_with_picture_or_sound_alone(server: MediaServer, publish: Publish, alone: type[Camera | Microphone]) -> None:
    """Picture alone is one track; sound alone comes with a still, so that players that want a picture play it. A session
    that is deleted ends the broadcast, and viewers are told."""
    publisher = await publish(server, alone())
    await until(lambda: len(server.fragments(VIDEO)) > 5)
    if alone is Microphone:
        await until(lambda: len(server.fragments(AUDIO)) > 20)
    await publisher.stop()
    assert len(server.inits(AUDIO)) == (alone is Microphone)
    assert unbroken(server, VIDEO)
    assert (server.states, server.hosts) == ([("s1", "live"), ("s1", "ended")], ["away"])


async def test_several_shows_in_one_process(server: MediaServer, publish: Publish) -> None:
    """Two hosts at once: one leaves, one is taken over, and neither is noticed in the other's show."""
    server.open("s2")
    first, _ = await publish(server, Camera()), await publish(server, Camera(), path="s2")
    await until(lambda: {("s1", "live"), ("s2", "live")} <= set(server.states))
    await publish(server, Camera(), path="s2?takeover=1")
    await until(lambda: server.states.count(("s2", "live")) == 2)
    await first.stop()
    assert [state for state in server.states if state[0] == "s2"] == [("s2", "live")] * 2
    assert server.states[-1] == ("s1", "ended")
    rings = [server.ring(show).end_us for show in ("s1", "s2")]
    await until(lambda: server.ring("s2").end_us > rings[1] + 200_000)
    assert server.ring("s1").end_us == rings[0]


async def test_a_host_that_changes_ways_is_not_forgotten(
    server: MediaServer, client: aiohttp.ClientSession, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no UDP gets through a page deletes its session and goes on by WebSocket at once: the deleted session may take
    its time to close, and the show's host is the one who sends now. When that one is gone viewers are told."""
    closes, may_close = asyncio.Event(), asyncio.Event()

    async def hang_up_slowly(publisher: PeerPublisher, hang_up: Any = PeerPublisher._hang_up) -> None:
        closes.set()
        await may_close.wait()
        await hang_up(publisher)

    monkeypatch.setattr(PeerPublisher, "_hang_up", hang_up_slowly)
    first = await publish(server, Camera())
    leaving = asyncio.create_task(first.stop())
    await closes.wait()
    socket = await enter(client, takeover=True)
    await until(lambda: (stats := server.broadcasts.stats("s1")) is not None and stats.state == WAITING)
    may_close.set()
    await leaving
    assert await told(socket) == {"type": "ready"}
    before = len(server.hosts)
    await socket.send_bytes(message(VIDEO, 5_000_000, KEY))
    await until(lambda: server.states[-1:] == [("s1", "live")])
    await socket.close()
    await until(lambda: len(server.hosts) > before and server.hosts[-1] == "away")


async def test_a_host_that_vanishes_is_let_go(publish: Publish) -> None:
    """Nothing more comes and nothing says why: viewers are told after two seconds, the grace period ends the session, and
    its sockets are closed; another host needs no takeover."""
    async with bad_line() as line, media_server(grace_s=1) as server:
        server.open("s1")

        def no_candidates(offer: str) -> str:
            return "\r\n".join(one for one in offer.split("\r\n") if not one.startswith("a=candidate:"))

        before = udp_sockets()
        vanished = await publish(server, Camera(), offer=no_candidates, answer=line.through)
        await until(lambda: server.states == [("s1", "live")])
        line.broken = True
        await until(lambda: server.hosts == ["away", "gone"])
        await vanished.leave()
        await until(lambda: udp_sockets() <= before + 1)  # the line's own way on
        await publish(server, Camera())
        await until(lambda: server.hosts == ["away", "gone", "back"])
        assert server.states == [("s1", state) for state in ("live", "lost", "ended", "live")]


def udp_sockets() -> int:
    """Open ones of this process."""
    return len(psutil.Process().net_connections("udp"))
