"""The hub as a client written from the contract meets it: tickets, frames, resuming, closing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.contract.frames import Events, Fragment, MediaInit, boxes, parse
from tests.support.system import Api, System, until

PATIENCE_S = 20


def ticket(api: Api, show: str) -> dict[str, Any]:
    """A ticket; a show that was started this moment says 503 with Retry-After until a studio has it."""

    def ask() -> dict[str, Any] | None:
        made = api.post(f"/shows/{show}/ticket")
        if made.status == 503:
            assert "retry-after" in made.headers
            return None
        assert made.status == 201, made.body
        return dict(made.body)

    made = until(ask, "a hub to have the show")
    assert {"ticket", "hub", "expires_at"} <= set(made)
    return made


def address(show: str, given: dict[str, Any], query: str = "") -> str:
    return f"{given['hub']}/v1/shows/{show}?ticket={given['ticket']}{query}"


async def join(api: Api, show: str, query: str = "", **options: Any) -> ClientConnection:
    """A viewer who has sent the handshake."""
    given = await asyncio.to_thread(ticket, api, show)
    return await connect(address(show, given, query), subprotocols=["livesale.v1"], max_size=None, proxy=None, **options)


async def frame(socket: ClientConnection) -> Events | MediaInit | list[Fragment]:
    async with asyncio.timeout(PATIENCE_S):
        data = await socket.recv()
    assert isinstance(data, bytes), "only binary frames"
    return parse(data)


async def welcome(socket: ClientConnection) -> dict[str, Any]:
    first = await frame(socket)
    assert isinstance(first, Events)
    assert [event["type"] for event in first.events] == ["welcome"]
    return first.events[0]


async def until_event(socket: ClientConnection, kind: str, **values: Any) -> dict[str, Any]:
    """Reads on to an event of this kind with these values."""
    while True:
        got = await frame(socket)
        for event in got.events if isinstance(got, Events) else []:
            if event["type"] == kind and all(event.get(name) == value for name, value in values.items()):
                return event


async def closed(socket: ClientConnection) -> int:
    """Reads to the end; the close code."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 1006


async def test_the_first_frames(system: System) -> None:
    """welcome with the snapshot, then the inits, then media from a key frame, without a gap afterwards."""
    show = system.demo_show()["id"]
    async with await join(system.anyone, show) as socket:
        assert socket.subprotocol == "livesale.v1"
        told = await welcome(socket)
        assert {"seq", "epoch", "at"} <= set(told)
        snapshot = told.get("show", told)
        assert snapshot["id"] == show
        assert snapshot["offers"]
        inits: dict[int, MediaInit] = {}
        batches: list[Fragment] = []
        while len(batches) < 60:
            got = await frame(socket)
            if isinstance(got, MediaInit):
                assert not batches or got.generation > 0
                inits[got.track] = got
            elif isinstance(got, list):
                batches += got
        assert inits[1].mse_type.startswith('video/mp4; codecs="avc1.')
        assert inits[2].mse_type == 'audio/mp4; codecs="opus"'
        assert all(boxes(init.segment) == [b"ftyp", b"moov"] for init in inits.values())
        check_media(batches)


def check_media(fragments: list[Fragment]) -> None:
    """The first picture is a key frame; sequences grow by one per track; times never go back; data is moof+mdat."""
    assert next(one for one in fragments if one.track == 1).key
    for track in (1, 2):
        own = [one for one in fragments if one.track == track]
        assert own, f"no fragments of track {track}"
        numbers = [one.sequence for one in own]
        assert numbers == list(range(numbers[0], numbers[0] + len(own)))
        times = [one.time_us for one in own]
        assert times == sorted(times)
        assert all(boxes(one.data) == [b"moof", b"mdat"] for one in own)


async def test_without_media(system: System) -> None:
    """`media=0` gives events and never a media frame."""
    show = system.demo_show()["id"]
    async with await join(system.anyone, show, "&media=0") as socket:
        await welcome(socket)
        system.api("adult").did("POST", f"/shows/{show}/chat", {"text": "events only"})
        while True:
            got = await frame(socket)
            assert isinstance(got, Events)
            if any(event.get("text") == "events only" for event in got.events):
                break


async def test_a_ticket_opens_once(system: System) -> None:
    """The second use of a ticket, a made up one and none at all close with 4001."""
    show = system.demo_show()["id"]
    given = await asyncio.to_thread(ticket, system.anyone, show)
    async with connect(address(show, given), subprotocols=["livesale.v1"], max_size=None, proxy=None) as first:
        await welcome(first)
        async with connect(address(show, given), subprotocols=["livesale.v1"], max_size=None, proxy=None) as second:
            assert await closed(second) == 4001
    for bad in ("", "nonsense", given["ticket"][:-4] + "AAAA"):
        url = f"{given['hub']}/v1/shows/{show}?ticket={bad}"
        async with connect(url, subprotocols=["livesale.v1"], max_size=None, proxy=None) as socket:
            assert await closed(socket) == 4001


async def test_a_ticket_is_for_its_show(system: System) -> None:
    """A ticket of one show does not open another."""
    show, other = system.demo_show()["id"], system.new_show("Elsewhere")["id"]
    given = await asyncio.to_thread(ticket, system.anyone, show)
    url = f"{given['hub']}/v1/shows/{other}?ticket={given['ticket']}"
    async with connect(url, subprotocols=["livesale.v1"], max_size=None, proxy=None) as socket:
        assert await closed(socket) == 4001


async def test_a_foreign_origin(system: System) -> None:
    """A page of another site is refused by 4003 or HTTP 403; our own origin and none at all come in."""
    show = system.demo_show()["id"]
    try:
        async with await join(system.anyone, show, origin="https://evil.example") as socket:
            assert await closed(socket) == 4003
    except InvalidStatus as refused:
        assert refused.response.status_code == 403
    async with await join(system.anyone, show, origin=system.url) as socket:
        await welcome(socket)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (msgpack.packb({"type": "stats", "x": "y" * 17_000}), {1009}),
        (b"\xc1", {1003}),
        (msgpack.packb([1, 2]), {1003}),
        (msgpack.packb({"type": "order"}), {1003}),
        ("text", {1003}),
        (b"", {1003}),
    ],
)
async def test_what_a_viewer_may_not_send(system: System, sent: bytes | str, code: set[int]) -> None:
    """More than 16 KiB closes with 1009, anything malformed with 1003; the others go on."""
    show = system.demo_show()["id"]
    async with await join(system.anyone, show) as bystander:
        await welcome(bystander)
        async with await join(system.anyone, show) as socket:
            await welcome(socket)
            await socket.send(msgpack.packb({"type": "stats", "behind_ms": 300}))
            await socket.send(sent)
            assert await closed(socket) in code
        assert await frame(bystander)


async def test_a_sale_is_told_to_all(system: System) -> None:
    """When someone holds a unit, every viewer's stock goes down; the order event reaches its buyer alone."""
    show = system.new_show("Told", {"quantity": 5})
    offer = show["offers"][0]["id"]
    adult = system.api("adult")
    async with await join(system.anyone, show["id"]) as stranger, await join(adult, show["id"]) as buyer:
        await welcome(stranger)
        await welcome(buyer)
        held = await asyncio.to_thread(adult.hold, show["id"], offer)
        assert (await until_event(buyer, "order", id=held["id"]))["state"] == "held"
        seen: list[dict[str, Any]] = []
        while not any(event["type"] == "stock" and event["left"] == 4 for event in seen):
            got = await frame(stranger)
            seen += got.events if isinstance(got, Events) else []
        await asyncio.to_thread(adult.did, "POST", f"/shows/{show['id']}/chat", {"text": "mark"})
        while not any(event["type"] == "chat" for event in seen):
            got = await frame(stranger)
            seen += got.events if isinstance(got, Events) else []
        assert not [event for event in seen if event["type"] == "order"]
        account = adult.did("GET", "/me")["id"]
        assert account not in str(seen)


async def test_resuming_sends_what_was_missed(system: System) -> None:
    """`after` with the right epoch repeats every must event missed; positions never leave a gap unseen."""
    show = system.new_show("Resume", {"quantity": 5})
    path = f"/shows/{show['id']}/chat"
    adult = system.api("adult")
    async with await join(system.anyone, show["id"], "&media=0") as socket:
        told = await welcome(socket)
        position, epoch = told["seq"], told["epoch"]
    for text in ("one", "two", "three"):
        adult.did("POST", path, {"text": text})
    async with await join(system.anyone, show["id"], f"&media=0&after={position}&epoch={epoch}") as socket:
        said: list[str] = []
        while len(said) < 3:
            got = await frame(socket)
            assert isinstance(got, Events)
            kinds = [event["type"] for event in got.events]
            if kinds == ["welcome"]:
                continue
            assert "resync" not in kinds
            assert got.after <= position
            position = max(position, got.upto)
            said += [event["text"] for event in got.events if event["type"] == "chat"]
        assert said == ["one", "two", "three"]


async def test_resuming_in_another_epoch(system: System) -> None:
    """With a wrong epoch or a position from the future there is one resync with a new snapshot."""
    show = system.demo_show()["id"]
    async with await join(system.anyone, show, "&media=0&after=3&epoch=other") as socket:
        assert (await until_event(socket, "resync"))["type"] == "resync"


async def test_the_end_of_a_show(system: System) -> None:
    """Viewers hear that the show has ended and are closed with 4010."""
    show = system.new_show("Ends", {"quantity": 1})["id"]
    async with await join(system.anyone, show, "&media=0") as socket:
        await welcome(socket)
        await asyncio.to_thread(system.api("host").did, "POST", f"/shows/{show}/end")
        await until_event(socket, "show", state="ended")
        assert await closed(socket) == 4010


async def test_viewers_are_counted(system: System) -> None:
    """The snapshot's `viewers` follows who is there."""
    show = system.new_show("Crowd")["id"]
    sockets = [await join(system.anyone, show, "&media=0") for _ in range(3)]

    async def count(wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await asyncio.to_thread(system.anyone.did, "GET", f"/shows/{show}"))["viewers"] != wanted:
                await asyncio.sleep(0.1)

    await count(3)
    for socket in sockets:
        await socket.close()
    await count(0)
