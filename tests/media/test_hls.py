"""HLS over HTTP as FFmpeg reads it, who is woken when, and AAC only while somebody asks."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from aiohttp import web

from livesale.kernel.refusals import Refusal
from livesale.media import hls, playlist
from livesale.media.chunks import samples_in
from livesale.media.fmp4 import sample_of
from livesale.media.frames import AUDIO, VIDEO
from livesale.media.hls import FOR_EVER, FOR_NOW, ONCE_SAID, Live
from livesale.media.hls_tokens import check, signed
from livesale.media.outputs import Output, Outputs, hls_routes
from livesale.media.programme import Format, Programme
from livesale.media.ring import Init
from tests.media.hosts import Host
from tests.media.test_packager import Taken
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.pictures import moving_bar


def hashes(source: object) -> dict[str, list[str]]:
    """What FFmpeg makes of every picture and sound of a source."""
    found: dict[str, list[str]] = {}
    with av.open(source) as file:
        for frame in file.decode():
            kind = "video" if isinstance(frame, av.VideoFrame) else "audio"
            planes = b"".join(bytes(plane) for plane in frame.planes)
            found.setdefault(kind, []).append(hashlib.md5(planes).hexdigest())
    return found


@asynccontextmanager
async def served(shows: Outputs) -> AsyncIterator[str]:
    """The address of the shows' HLS."""
    application = web.Application()
    application.add_routes(hls_routes(shows))
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hls"
    await runner.cleanup()


def on_air(server: MediaServer, shows: Outputs) -> Output:
    """A show on air whose HLS is made."""
    server.open("s1")
    live = shows.open("s1", 17, 0)
    server.ring("s1").subscribe(live.take)
    return live


async def test_ffmpeg_plays_what_the_host_sent(tmp_path: Path) -> None:
    """FFmpeg reads the playlists and decodes the very pictures and sounds that the hub's fragments decode to."""
    shows = Outputs(tmp_path)
    async with media_server() as server, served(shows) as url:
        live = on_air(server, shows)
        programme = Programme(server.url + "/whip/s1", TOKEN, moving_bar, form=Format(width=320, height=180))
        await until(lambda: min(len(server.fragments(VIDEO)), len(server.fragments(AUDIO))) > 20)
        programme.kill()
        await server.broadcasts.close("s1")
        live.end()

        expected = {}
        for track in (VIDEO, AUDIO):
            sent = server.inits(track)[0].data + b"".join(one.data for one in server.fragments(track))
            expected |= hashes(io.BytesIO(sent))
        assert await asyncio.to_thread(hashes, f"{url}/s1/index.m3u8") == expected
        shows.close()


def started(seconds: float) -> tuple[Live, Taken, Host]:
    """A show's HLS after so much broadcast."""
    live, ring = Live("17", 0), Taken()
    ring.packager.take = live.take  # type: ignore[method-assign]
    host = Host(ring)
    host.run(seconds)
    return live, ring, host


async def text(live: Live, name: str, **query: str) -> str:
    return (await live.answer(name, query)).body.decode()


async def test_parts_hold_the_hubs_samples() -> None:
    """The mdat bytes of all parts, track by track, are those of the hub's fragments."""
    live, ring, _ = started(5)
    live.end()
    names = [line for line in (await text(live, "live.m3u8")).splitlines() if line.endswith(".m4s")]
    got = [one for name in names for one in samples_in((await live.answer(name, {})).body)]
    for track in (VIDEO, AUDIO):
        assert [one.data for one in got if one.track == track] == [
            bytes(sample_of(one.data)[2]) for one in ring.of(track)
        ]


async def test_a_blocking_reload_is_answered_with_the_part_and_not_before() -> None:
    """Who asks for part 1 waits through everything that is not it; the hinted part comes in the same moment."""
    live, _, host = started(2.6)  # segment 5 and part 0 of segment 6; pictures up to 2.567 s
    playlist_of = asyncio.create_task(text(live, "live.m3u8", _HLS_msn="6", _HLS_part="1"))
    hinted = asyncio.create_task(live.answer("17-6.1.m4s", {}))
    for number in range(12):
        host.picture(2600 + number * 100 / 3)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not playlist_of.done()
        assert not hinted.done()
    host.picture(3000)
    assert "17-6.1.m4s" in await playlist_of
    assert samples_in((await hinted).body)[0].time == 90 * 7500


async def test_caches_are_told_what_may_be_kept() -> None:
    """Media for ever, a playlist for half a target duration, a blocking one for long: it stays right for whoever asks."""
    live, _, _ = started(3)
    kept = {name: (await live.answer(name, {})).cache for name in ("index.m3u8", "live.m3u8", "17-5.m4s", "17-5.mp4")}
    assert kept == {"index.m3u8": FOR_NOW, "live.m3u8": FOR_NOW, "17-5.m4s": FOR_EVER, "17-5.mp4": FOR_EVER}
    assert (await live.answer("live.m3u8", {"_HLS_msn": "5"})).cache == ONCE_SAID
    assert FOR_NOW == "public, max-age=2"


@pytest.mark.parametrize("query", [{"_HLS_part": "1"}, {"_HLS_msn": "99"}, {"_HLS_msn": "x"}, {"_HLS_msn": "-1"}])
async def test_senseless_directives_are_refused(query: dict[str, str]) -> None:
    """400 for a part without a segment, for what is too far ahead, for what is no number."""
    live, _, _ = started(3)
    with pytest.raises(Refusal) as refused:
        await live.answer("live.m3u8", query)
    assert refused.value.status == 400


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 when the part does not come within three target durations; 404 while there is no picture at all."""
    assert playlist.BLOCK_S == 12
    monkeypatch.setattr(hls, "BLOCK_S", 0.01)
    live, _, _ = started(3)
    with pytest.raises(Refusal) as refused:
        await live.answer("live.m3u8", {"_HLS_msn": "7"})
    assert refused.value.status == 503
    with pytest.raises(Refusal) as refused:
        await Live("1", 0).answer("index.m3u8", {})
    assert refused.value.status == 404


async def test_a_host_who_says_no_more_is_shown_to_the_last_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for its successor is given out after a second without any, and all of it can be fetched."""
    live, ring, _ = started(0.3)
    assert live.main.window.stretch is None
    live.look_after()
    assert live.main.window.stretch is None  # it may still come
    monkeypatch.setattr(hls, "SILENT_S", -1.0)
    live.look_after()
    assert len([one for one in samples_in((await live.answer("17-5.0.m4s", {})).body) if one.track == VIDEO]) == 9
    assert len(ring.of(VIDEO)) == 9


def opus(seconds: int) -> list[bytes]:
    """Opus packets of silence, as an encoder makes them."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    packets: list[bytes] = []
    for number in range(seconds * 50):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(960 * 4))
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


async def test_aac_is_made_while_someone_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked: no encoder. Asked: the same pictures with AAC, from a little before now on. No more asked: it ends."""
    live, ring = Live("17", 0), Taken()
    ring.packager.take = live.take  # type: ignore[method-assign]
    host = Host(ring)
    for number, packet in enumerate(opus(9)):
        host.picture(number * 20, key=number % 50 == 0)
        host.sound(number * 20, packet=packet)
    assert 'mp4a.40.2"' in await text(live, "apple.m3u8")
    assert "aac.m3u8" not in await text(live, "index.m3u8")
    assert live.aac_runs is False
    listed = await text(live, "aac.m3u8", _HLS_msn="8")
    assert live.aac_runs
    names = [line for line in listed.splitlines() if line.endswith(".m4s")]
    assert names[0].startswith("17a1-")
    init = (await live.answer(f"17a1-{live.main.window.stretch.number}.mp4", {})).body  # type: ignore[union-attr]
    data = init + b"".join([(await live.answer(name, {})).body for name in names])
    with av.open(io.BytesIO(data)) as file:
        assert {stream.codec_context.name for stream in file.streams} == {"h264", "aac"}
        sound = sum(frame.samples for frame in file.decode(audio=0))
    pictures = [one for one in samples_in(data[len(init) :]) if one.track == VIDEO]
    assert sound == pytest.approx((pictures[-1].end - pictures[0].time) * 48_000 / 90_000, abs=4 * 1024)
    monkeypatch.setattr(hls, "AAC_IDLE_S", -1.0)
    live.look_after()
    assert live.aac_runs is False
    live.close()


def test_tokens() -> None:
    """A token opens its show until it expires; without a secret nobody needs one."""
    token = signed("s3cret", "show1", 1000)
    check("s3cret", "show1", token, 999)
    check("", "show1", None, 999)
    wrong = [
        ("s3cret", "show1", token, 1000), ("s3cret", "show2", token, 999), ("other", "show1", token, 999),
        ("s3cret", "show1", None, 999), ("s3cret", "show1", token.replace("1000", "9000"), 999),
    ]  # fmt: skip
    for secret, show, given, now_s in wrong:
        with pytest.raises(Refusal) as refused:
            check(secret, show, given, now_s)
        assert refused.value.status == 403


async def test_an_ended_show_says_so_for_a_while(tmp_path: Path) -> None:
    """After its end a show's playlist has its last line, then nothing is there any more."""
    shows = Outputs(tmp_path, linger_s=0.05)
    live = shows.open("s1", 17, 0)
    ring = Taken()
    ring.packager.take = live.take  # type: ignore[method-assign]
    Host(ring).run(3)
    shows.end("s1")
    assert (await shows.answer("s1", "live.m3u8", {"_HLS_msn": "6"})).body.endswith(b"#EXT-X-ENDLIST\n")

    async def gone() -> bool:
        try:
            await shows.answer("s1", "live.m3u8", {})
        except Refusal as refused:
            return refused.status == 404
        return False

    async with asyncio.timeout(10):
        while not await gone():
            await asyncio.sleep(0.01)
    assert isinstance(ring.inits[0], Init)
