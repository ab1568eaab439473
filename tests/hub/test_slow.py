"""Viewers who read too slowly, or not at all, and everyone else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path

from websockets.frames import Close

from livesale.bench.certificates import make_certificate, trusting
from livesale.hub.limits import Limits
from livesale.hub.wire import EventsFrame, decode
from livesale.media.ring import Fragment
from tests.hub.conftest import Start
from tests.hub.viewers import CHAT, PATIENCE_S, SHOW, STOCK, House, Source, upgrade_request

QUICK = Limits(sweep_ms=20, too_slow_ms=600, settled_ms=100, budget_ms=200, close_ms=300)


class Stalled:
    """A client on a bare socket with a small buffer, that reads only when told."""

    def __init__(self, house: House, account: str | None = None) -> None:
        self.house = house
        self.account = account
        self.data = bytearray()

    async def join(self, **query: object) -> Stalled:
        loop = asyncio.get_running_loop()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        self.socket.setblocking(False)
        await loop.sock_connect(self.socket, ("127.0.0.1", self.house.port))
        await loop.sock_sendall(self.socket, upgrade_request(self.house, self.house.ticket(self.account), **query))
        while b"\r\n\r\n" not in self.data:
            self.data += await loop.sock_recv(self.socket, 1)
        self.data.clear()
        return self

    async def read(self, size: int) -> None:
        self.data += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, size), PATIENCE_S)

    async def messages(self) -> list[tuple[int, bytes]]:
        """Reads to the end of the stream; (opcode, payload) of every whole message."""
        while True:
            before = len(self.data)
            await self.read(1 << 20)
            if len(self.data) == before:
                return list(split_messages(bytes(self.data)))


def split_messages(data: bytes) -> list[tuple[int, bytes]]:
    """The unmasked WebSocket messages in `data`; what is cut off at the end is left out."""
    found = []
    at = 0
    while at + 2 <= len(data):
        short = data[at + 1] & 0x7F
        head = 2 if short < 126 else 4 if short == 126 else 10
        length = short if short < 126 else int.from_bytes(data[at + 2 : at + head], "big")
        if len(data) < at + head + length:
            break
        found.append((data[at] & 0x0F, data[at + head : at + head + length]))
        at += head + length
    return found


async def run_until(source: Source, done: object, *, step_s: float = 0.005) -> None:
    """Sends batches until `done()`."""
    async with asyncio.timeout(PATIENCE_S):
        while not done():
            source.send()
            await asyncio.sleep(step_s)


async def test_a_viewer_that_stops_reading(start: Start) -> None:
    """It is closed with 4008, what is held for it stays bounded, and nobody else misses a fragment."""
    house = await start(limits=QUICK)
    channel = house.open()
    source = Source(channel, picture_bytes=40_000)
    source.begin()
    stalled = await Stalled(house).join()
    viewer = await house.join()
    await viewer.until("welcome")
    most = 0

    def closed() -> bool:
        nonlocal most
        held = [each.outbox.waiting_bytes for each in channel.receivers() if each.outbox is not None]
        most = max([most, *held])
        return channel.stats.slow_closed == 1

    async def watch() -> list[Fragment]:
        seen: list[Fragment] = []
        while not seen or seen[-1].sequence < 60 or channel.stats.slow_closed == 0:
            seen += [each for each in await viewer.until_media() if each.track == 1]
        return seen

    watching = asyncio.create_task(watch())
    await run_until(source, lambda: closed() and source.count > 60)
    source.send()
    seen = [each.sequence for each in await asyncio.wait_for(watching, PATIENCE_S)]
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert channel.stats.skips >= 1
    assert 0 < most <= 10 * 41_000, "half a budget's worth of batches, not the whole show"
    assert [each.tag for each in channel.receivers()] == [
        each.tag for each in channel.receivers() if each.connection.is_open()
    ]
    opcode, payload = (await stalled.messages())[-1]
    assert opcode == 8
    assert Close.parse(payload).code == 4008


async def test_skip_to_the_key_frame(start: Start) -> None:
    """Who falls behind and reads on gets a new key frame with its sound, every fragment after it, and every event."""
    house = await start(limits=Limits(sweep_ms=20, budget_ms=200, settled_ms=50, close_ms=300))
    channel = house.open()
    source = Source(channel, picture_bytes=40_000, keys=10)
    source.begin()
    stalled = await Stalled(house).join()
    seq = 0

    def skipped_twice() -> bool:
        nonlocal seq
        seq += 1
        channel.entry(seq, 0, [(CHAT, {"id": seq}), (STOCK, {"offer": "of", "left": 10_000 - seq})])
        return channel.stats.skips >= 1

    await run_until(source, skipped_twice)
    reading = asyncio.create_task(read_until_live(stalled, channel))
    await run_until(source, reading.done)
    channel.entry(seq + 1, 0, [(CHAT, {"id": seq + 1})])
    house.hub.end(SHOW)
    frames = [decode(payload) for opcode, payload in await stalled.messages() if opcode == 2]
    assert_no_video_hole([each for frame in frames if isinstance(frame, list) for each in frame])
    events = [event for frame in frames if isinstance(frame, EventsFrame) for event in frame.events]
    assert [event["id"] for event in events if event["type"] == "chat"] == list(range(1, seq + 2))
    stock = [event["left"] for event in events if event["type"] == "stock"]
    assert stock == sorted(stock, reverse=True)
    assert stock[-1] == 10_000 - seq, "the newest value is owed"


async def read_until_live(stalled: Stalled, channel: object) -> None:
    while not all(channel.fanout.is_live(each) for each in channel.receivers()):
        await stalled.read(1 << 16)


def assert_no_video_hole(fragments: list[Fragment]) -> None:
    """Every picture follows the one before it, or is a key frame that has sound from before its time."""
    skips = 0
    last = -1
    sound_us = -1
    for each in fragments:
        if each.track == 2:
            sound_us = each.time_us
            continue
        if each.sequence != last + 1:
            assert each.key, f"picture {each.sequence} after {last} is no key frame"
            assert each.sequence > last
            assert 0 <= sound_us <= each.time_us
            skips += 1
        last = each.sequence
    assert skips >= 1, "nothing was skipped: the test proves nothing"


async def test_events_only_viewer_that_stops_reading(start: Start) -> None:
    """Without media too: events that nobody takes end in 4008, not in memory."""
    house = await start(limits=Limits(sweep_ms=20, must_bytes=50_000, too_slow_ms=600_000, close_ms=300))
    channel = house.open()
    stalled = await Stalled(house).join(media=0)
    viewer = await house.join(media=0)
    await viewer.until("welcome")
    seq = 0
    async with asyncio.timeout(PATIENCE_S):
        while channel.stats.slow_closed == 0:
            seq += 1
            channel.entry(seq, 0, [(CHAT, {"id": seq, "text": "x" * 4_000})])
            channel.flush()
            await viewer.until("chat", id=seq)
            viewer.events.clear()
    assert (await stalled.messages())[-1][0] == 8


async def test_4008_outlives_the_connection(start: Start) -> None:
    """A viewer that starts to read only when the hub has cut it still learns why."""
    house = await start(limits=Limits(sweep_ms=20, too_slow_ms=100, settled_ms=10, budget_ms=50, close_ms=100))
    channel = house.open()
    source = Source(channel, picture_bytes=100_000)
    source.begin()
    stalled = await Stalled(house).join()
    await run_until(source, lambda: channel.stats.slow_closed == 1)
    await run_until(source, lambda: not house.hub.connections())
    opcode, payload = (await stalled.messages())[-1]
    assert opcode == 8
    assert Close.parse(payload).code == 4008


async def test_stop_does_not_wait_for_a_stalled_viewer(start: Start) -> None:
    """The hub stops in its grace time though a viewer reads nothing."""
    house = await start()
    channel = house.open()
    source = Source(channel, picture_bytes=400_000)
    source.begin()
    stalled = await Stalled(house).join()
    await run_until(source, lambda: any(each.outbox and each.outbox.blocked for each in channel.receivers()))
    await asyncio.wait_for(house.hub.stop(), PATIENCE_S)
    stalled.socket.close()


async def test_a_brief_hiccup(start: Start) -> None:
    """Less than the budget behind, nothing is given up."""
    house = await start(limits=Limits(sweep_ms=20, budget_ms=5_000, close_ms=300))
    channel = house.open()
    source = Source(channel, picture_bytes=40_000)
    source.begin()
    stalled = await Stalled(house).join()
    await run_until(source, lambda: any(each.outbox and len(each.outbox) > 20 for each in channel.receivers()))
    reading = asyncio.create_task(read_until_live(stalled, channel))
    await asyncio.wait_for(reading, PATIENCE_S)
    house.hub.end(SHOW)
    frames = [decode(payload) for opcode, payload in await stalled.messages() if opcode == 2]
    pictures = [each.sequence for frame in frames if isinstance(frame, list) for each in frame if each.track == 1]
    assert pictures == list(range(source.count))
    assert channel.stats.skips == 0


async def test_a_viewer_that_stops_reading_over_tls(tmp_path: Path) -> None:
    """Encrypted bytes are each viewer's own, and the transport says late that it is blocked: what is held stays bounded all the
    same, and the viewer is told why it is closed."""
    chain, key = make_certificate(tmp_path, "hub")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    house = await House(limits=QUICK).start()
    port = await house.hub.start(tls=context)
    channel = house.open()
    source = Source(channel, picture_bytes=40_000)
    source.begin()
    reader, writer = await asyncio.open_connection("localhost", port, ssl=trusting(chain), limit=4_096)
    writer.write(upgrade_request(house, house.ticket()))
    await reader.readuntil(b"\r\n\r\n")
    most = 0

    def closed() -> bool:
        nonlocal most
        held = [each.connection.transport.get_write_buffer_size() for each in channel.receivers()]
        most = max([most, *held])
        return channel.stats.slow_closed == 1

    await run_until(source, closed)
    assert 0 < most < 400_000, "64 KiB and what was joined in one write, not the whole show"
    data = await asyncio.wait_for(reader.read(), PATIENCE_S)
    opcode, payload = list(split_messages(data))[-1]
    assert (opcode, Close.parse(payload).code) == (8, 4008)
    writer.close()
    await house.hub.stop()


async def test_slow_viewers_cost_the_others_nothing(start: Start) -> None:
    """Of thirty viewers one stops, one crawls and one flaps: no other ever has anything waiting for longer than a moment, nor
    misses a picture, and all that waits for the slow ones together are the same few batches."""
    house = await start(limits=Limits(sweep_ms=20, budget_ms=200, too_slow_ms=1_000, settled_ms=200, close_ms=300))
    channel = house.open()
    source = Source(channel, picture_bytes=30_000)
    source.begin()
    slow = [await Stalled(house).join() for _ in range(3)]
    slow_ones = set(channel.receivers())
    viewers = [await house.join() for _ in range(27)]
    seen: dict[int, list[int]] = {number: [] for number in range(len(viewers))}
    most = rounds = 0

    async def watch(number: int) -> None:
        while True:
            frame = await viewers[number].next()
            viewers[number].frames.clear()
            if isinstance(frame, list):
                seen[number] += [each.sequence for each in frame if each.track == 1]

    async def crawl_and_flap() -> None:
        with suppress(TimeoutError, OSError):
            while True:
                await slow[1].read(3_000)
                if rounds % 40 < 20:
                    await slow[2].read(1 << 20)
                slow[1].data.clear()
                slow[2].data.clear()
                await asyncio.sleep(0.01)

    def over() -> bool:
        nonlocal most, rounds
        rounds += 1
        waiting = {id(packet): len(packet.data) for each in channel.receivers() if each.outbox for packet in each.outbox._queue}
        most = max(most, sum(waiting.values()))
        return channel.stats.slow_closed >= 2

    tasks = [asyncio.create_task(watch(number)) for number in seen] + [asyncio.create_task(crawl_and_flap())]
    await run_until(source, over)
    last = source.count - 1
    async with asyncio.timeout(PATIENCE_S):
        while not all(numbers and numbers[-1] == last for numbers in seen.values()):
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 0 < most <= 10 * 31_000, "the same batches for all, within the budget"
    for numbers in seen.values():
        assert numbers == list(range(numbers[0], last + 1))
    assert len(set(channel.receivers()) - slow_ones) == len(viewers)
