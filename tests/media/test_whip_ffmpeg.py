"""FFmpeg as publisher: real WHIP, ICE, DTLS and RTP over loopback, and FFmpeg to judge what came out."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import av
import pytest

from livesale.media.frames import AUDIO, VIDEO
from livesale.media.programme import Format, Programme
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.pictures import moving_bar

GOODBYE_S = 30.0  # a slow machine takes its time to delete a session


def decoded(server: MediaServer, track: int) -> int:
    """How many frames FFmpeg decodes from the track's init and fragments."""
    data = server.inits(track)[0].data + b"".join(one.data for one in server.fragments(track))
    with av.open(io.BytesIO(data)) as file:
        return sum(1 for _ in file.decode(file.streams[0]))


async def test_every_picture_and_sound_that_went_in_can_be_decoded() -> None:
    """What FFmpeg publishes comes out whole: as many fragments decode as were made, and as many were made as were sent."""
    async with media_server() as server:
        server.open("s1")
        programme = Programme(server.url + "/whip/s1", TOKEN, moving_bar, form=Format())
        await until(lambda: len(server.fragments(VIDEO)) > 30 and len(server.fragments(AUDIO)) >= 140)
        await asyncio.to_thread(programme.stop, GOODBYE_S)
        await until(lambda: ("s1", "ended") in server.states)
        server.ring("s1").flush()

        assert server.states == [("s1", "live"), ("s1", "ended")]
        assert decoded(server, VIDEO) == len(server.fragments(VIDEO)) == programme.sent
        assert decoded(server, AUDIO) == len(server.fragments(AUDIO))
        assert [init.mse_type for init in server.inits(VIDEO)] == ['video/mp4; codecs="avc1.42c01f"']


async def test_a_host_that_comes_back_goes_on_in_a_new_generation() -> None:
    """A killed publisher is reported lost, a new one needs no takeover, and time goes on where it was."""
    async with media_server() as server:
        server.open("s1")
        first = Programme(server.url + "/whip/s1", TOKEN, moving_bar)
        await until(lambda: len(server.fragments(VIDEO)) > 10)
        first.kill()
        await until(lambda: ("s1", "lost") in server.states)
        assert server.hosts == ["away"]
        second = Programme(server.url + "/whip/s1", TOKEN, moving_bar)
        await until(lambda: {one.generation for one in server.fragments(VIDEO)} == {1, 2})
        second.kill()

        for track in (VIDEO, AUDIO):
            times = [one.time_us for one in server.fragments(track)]
            assert times == sorted(set(times))
        fresh = [one for one in server.fragments(VIDEO) if one.generation == 2]
        assert fresh[0].key
        assert fresh[0].sequence == 0
        assert server.hosts == ["away", "back"]


async def test_a_killed_sender_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of its DTLS certificate is in no folder, so that kill -9 leaves nothing to find."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    async with media_server() as server:
        server.open("s1")
        sender = Programme(server.url + "/whip/s1", TOKEN, moving_bar)
        await until(lambda: len(server.fragments(VIDEO)) > 1)
        sender.kill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", ["", "?takeover=1"])
async def test_a_second_publisher_needs_takeover(query: str) -> None:
    """While one publisher is on air another is refused, unless it asks to take over."""
    async with media_server() as server:
        server.open("s1")
        first = Programme(server.url + "/whip/s1", TOKEN, moving_bar)
        await until(lambda: len(server.fragments(VIDEO)) > 5)
        second = Programme(server.url + "/whip/s1" + query, TOKEN, moving_bar)
        if query:
            await until(lambda: {one.generation for one in server.fragments(VIDEO)} == {1, 2})
        else:
            await until(lambda: not second.running)
            assert {one.generation for one in server.fragments(VIDEO)} == {1}
        assert ("s1", "ended") not in server.states
        first.kill()
        second.kill()
