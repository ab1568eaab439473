"""What viewers send: two kinds of small maps; anything else ends that connection and no other."""

from __future__ import annotations

import random

import msgspec
import pytest

from livesale.hub.limits import Limits
from tests.hub.conftest import Start
from tests.hub.test_slow import Stalled
from tests.hub.viewers import CHAT, House


async def test_allowed_messages(house: House) -> None:
    """Pongs and statistics are taken without an answer."""
    channel = house.open()
    viewer = await house.join()
    await viewer.socket.send(msgspec.msgpack.encode({"type": "pong", "at": 1}))
    await viewer.socket.send(msgspec.msgpack.encode({"type": "stats", "buffer_ms": 180, "more": [1, {"a": None}]}))
    await viewer.socket.send(
        [msgspec.msgpack.encode({"type": "pong"})[:3], msgspec.msgpack.encode({"type": "pong"})[3:]]
    )
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await viewer.until("chat")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("text", 1003),
        (b"", 1003),
        (b"\xc1", 1003),
        (b"\x91" * 4_000, 1003),
        (msgspec.msgpack.encode({"type": "buy"}), 1003),
        (msgspec.msgpack.encode(["pong"]), 1003),
        (msgspec.msgpack.encode({"type": "pong"}) + b"\x00", 1003),
        (b"\x82\xa4type\xa4pong\xa1x" + b"\x91" * 8_000 + b"\x00", 1003),
        (msgspec.msgpack.encode({"type": "stats", "x": "y" * 16_384}), 1009),
        ([b"y" * 6_000] * 3, 1009),
    ],
)
async def test_refused_messages(house: House, message: object, code: int) -> None:
    """Malformed ones close with 1003, ones over 16 KiB with 1009."""
    house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    await viewer.socket.send(message)
    assert await viewer.closed() == code


async def test_flood(start: Start) -> None:
    """Whoever sends without end is closed."""
    house = await start(limits=Limits(incoming_per_sweep=20))
    house.open()
    viewer = await house.join()
    for _ in range(21):
        await viewer.socket.send(msgspec.msgpack.encode({"type": "pong"}))
    assert await viewer.closed() == 1008


async def test_noise(house: House) -> None:
    """Random bytes in place of frames never reach another viewer or the hub's health."""
    channel = house.open()
    steady = await house.join()
    await steady.until("welcome")
    dice = random.Random(20)
    for seq in range(1, 151):
        noisy = await Stalled(house).join(media=0)
        noise = bytearray(dice.randbytes(dice.randrange(1, 400)))
        if dice.random() < 0.7:  # a plausible masked frame around it
            noise[:2] = bytes((0x80 | dice.choice((0, 1, 2, 8, 9, 10, 3)), 0x80 | dice.randrange(128)))
        noisy.socket.send(noise)
        if dice.random() < 0.5:
            noisy.socket.close()
        channel.entry(seq, 0, [(CHAT, {"id": seq})])
        await steady.until("chat", id=seq)
        steady.events.clear()
    assert house.hub.stats()
