"""Coming back: nothing a viewer was meant to get is lost unseen, wherever its socket was cut."""

from __future__ import annotations

import asyncio

from livesale.hub.channel import Channel
from livesale.hub.limits import Limits
from livesale.hub.wire import EventsFrame, decode
from tests.hub.conftest import Start
from tests.hub.test_slow import Stalled, split_messages
from tests.hub.viewers import CHAT, ORDER, PATIENCE_S, House

ENTRIES = 100


def say_everything(channel: Channel) -> None:
    """A hundred log entries, each a frame of its own; every third with an order of Ann's, every seventh only that."""
    for seq in range(1, ENTRIES + 1):
        events = [] if seq % 7 == 0 else [(CHAT, {"id": seq})]
        if seq % 3 == 0 or seq % 7 == 0:
            events.append((ORDER, {"owner": "ann", "id": f"o{seq}", "state": "held"}))
        channel.entry(seq, seq, events)
        channel.flush()


CHATS = [seq for seq in range(1, ENTRIES + 1) if seq % 7]
ORDERS = [seq for seq in range(1, ENTRIES + 1) if seq % 3 == 0 or seq % 7 == 0]


def known_of(data: bytes) -> tuple[int | None, list[int], set[int]]:
    """Position, chats and orders of a client that has got these bytes."""
    position: int | None = None
    chats: list[int] = []
    orders: set[int] = set()
    for opcode, payload in split_messages(data):
        frame = decode(payload)
        assert opcode == 2
        assert isinstance(frame, EventsFrame)
        if position is None or frame.events[0]["type"] == "welcome":
            position = frame.upto
        assert frame.after <= position
        position = max(position, frame.upto)
        chats += [event["seq"] for event in frame.events if event["type"] == "chat"]
        orders |= {event["seq"] for event in frame.events if event["type"] == "order"}
    return position, chats, orders


async def whole_stream(house: House) -> bytes:
    """The bytes of a viewer that is not cut."""
    channel = house.open(epoch="whole")
    client = await Stalled(house, "ann").join()
    say_everything(channel)
    async with asyncio.timeout(PATIENCE_S):
        while known_of(bytes(client.data))[1] != CHATS:
            await client.read(1 << 16)
    client.socket.close()
    return bytes(client.data)


async def cut_and_resume(house: House, offset: int) -> None:
    channel = house.open(epoch=f"e{offset:06}")
    client = await Stalled(house, "ann").join()
    say_everything(channel)
    while len(client.data) < offset:
        await client.read(offset - len(client.data))
    client.socket.close()
    position, chats, orders = known_of(bytes(client.data))
    query = {} if position is None else {"after": position, "epoch": f"e{offset:06}"}
    viewer = await house.join("ann", **query)
    await viewer.until("welcome")
    await viewer.socket.close()
    await viewer.closed()
    if position is None:
        assert viewer.position == ENTRIES, "a fresh snapshot covers it all"
    else:
        assert chats + [event["seq"] for event in viewer.of("chat")] == CHATS
        assert orders | {event["seq"] for event in viewer.of("order")} == set(ORDERS)
        assert not viewer.of("resync")


async def test_cut_at_every_byte(start: Start) -> None:
    """Whatever byte of a hundred frames was the last to arrive, the client's position brings the rest and no more.

    The state is derived for every byte; where it changes, the socket is really cut: a byte before, at it, one behind.
    """
    house = await start(limits=Limits(latest_tick_ms=60_000, sweep_ms=60_000))
    data = await whole_stream(house)
    known = [known_of(data[:size]) for size in range(len(data) + 1)]
    assert all(position is None or set(CHATS) == {*chats, *(seq for seq in CHATS if seq > position)}
               for position, chats, _ in known)  # fmt: skip
    changes = [size for size in range(1, len(known)) if known[size] != known[size - 1]]
    assert len(changes) >= ENTRIES
    cuts = sorted({max(0, size + step) for size in changes for step in (-1, 0, 1)} | set(range(0, 40)))
    for offset in cuts:
        if offset <= len(data):
            await cut_and_resume(house, offset)


async def test_other_epoch(house: House) -> None:
    """A position of another epoch, one no longer kept or one from the future gets one resync, no events twice."""
    channel = house.open(epoch="new", seq=50)
    channel.entry(51, 0, [(CHAT, {"id": 51})])
    for query in ({"after": 51, "epoch": "old"}, {"after": 3, "epoch": "new"}, {"after": 99, "epoch": "new"},
                  {"after": 51}, {"after": "x", "epoch": "new"}):  # fmt: skip
        viewer = await house.join(**query)
        await viewer.until("resync")
        assert [event["type"] for event in viewer.events[:2]] == ["welcome", "resync"]
        assert viewer.events[1]["show"]["state"] == "live"
        assert (viewer.position, viewer.events[1]["seq"], viewer.events[1]["epoch"]) == (51, 51, "new")
        channel.entry(channel.history.head + 1, 0, [])
        assert not viewer.of("chat")
        channel.open("new", 1, lambda: {"state": "live"}, seq=51)


async def test_epoch_changes_under_a_viewer(house: House) -> None:
    """When the log begins anew, a connected viewer gets one resync and follows the new log."""
    channel = house.open()
    viewer = await house.join("ann")
    await viewer.until("welcome")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    house.open(epoch="e2", lease=2, seq=10)
    channel.entry(11, 0, [(CHAT, {"id": 11})])
    await viewer.until("chat", id=11)
    assert [event["type"] for event in viewer.events if event["type"] != "viewers"] == [
        "welcome",
        "chat",
        "resync",
        "chat",
    ]
    assert viewer.position == 11


async def test_reopening_the_same_log(house: House) -> None:
    """Opened again where it stands, nobody notices."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    house.open(seq=1)
    channel.entry(2, 0, [(CHAT, {"id": 2})])
    await viewer.until("chat", id=2)
    assert not viewer.of("resync")


async def test_others_do_not_resume_my_events(house: House) -> None:
    """Missed personal events are sent again to their owner only."""
    channel = house.open()
    say_everything(channel)
    ann, ben = await house.join("ann", after=0, epoch="e1"), await house.join("ben", after=0, epoch="e1")
    for viewer in (ann, ben):
        await viewer.until("chat", seq=CHATS[-1])
    assert [event["seq"] for event in ann.of("order")] == ORDERS
    assert ben.of("order") == []
