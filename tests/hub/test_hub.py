"""What a viewer sees of the hub over a real socket."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from livesale.hub.limits import Limits
from livesale.hub.wire import EventsFrame
from livesale.media.ring import Fragment, Init
from tests.hub.conftest import Start
from tests.hub.viewers import CHAT, ORDER, PATIENCE_S, PINNED, SECRET, SHOW, STOCK, House, Source, Viewer, tag_of


async def test_first_frames(house: House) -> None:
    """A joiner gets the welcome with the snapshot first, then the inits, then all from the key frame on."""
    channel = house.open(seq=7)
    source = Source(channel)
    source.begin()
    source.send(40)
    viewer = await house.join("ann")
    welcome = await viewer.next()
    assert isinstance(welcome, EventsFrame)
    assert [event["type"] for event in welcome.events] == ["welcome"]
    event = welcome.events[0]
    assert (event["seq"], event["epoch"], event["viewer"]) == (7, "e1", tag_of(SHOW, "ann"))
    assert event["show"] == {"id": SHOW, "state": "live", "offers": []}
    inits = [await viewer.next(), await viewer.next()]
    assert [(init.track, init.mse_type) for init in inits] == [
        (1, 'video/mp4; codecs="avc1.42c020"'),
        (2, 'audio/mp4; codecs="opus"'),
    ]
    group = await viewer.until_media()
    pictures = [each for each in group if each.track == 1]
    assert [each.sequence for each in pictures] == list(range(30, 40))
    assert pictures[0].key
    sounds = [each for each in group if each.track == 2]
    assert sounds[0].time_us <= pictures[0].time_us < sounds[1].time_us
    source.send()
    assert [each.sequence for each in await viewer.until_media() if each.track == 1] == [40]


async def test_events_follow_the_log(house: House) -> None:
    """A log entry is one frame with its position, type, time, media time and loss; internal events go nowhere."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    channel.entry(3, 5_000, [(CHAT, {"type": "chat_said", "id": "m1", "text": "hello"}), (PINNED, {"offers": ["of"]}),
                             (SECRET, {"account": "ann"})])  # fmt: skip
    frame = await viewer.next()
    while not any(event["type"] == "chat" for event in frame.events):
        frame = await viewer.next()
    assert (frame.after, frame.upto) == (0, 3)
    chat = {"type": "chat", "seq": 3, "at": 5_000, "media_at": 4_000, "loss": "must", "id": "m1", "text": "hello"}
    assert frame.events[0] == chat
    assert [event["type"] for event in frame.events] == ["chat", "pins"]


async def test_repeated_entries(house: House) -> None:
    """An entry handed in twice reaches viewers once."""
    channel = house.open()
    viewer = await house.join()
    for seq in (1, 2, 2, 1, 3):
        channel.entry(seq, 0, [(CHAT, {"id": seq})])
    await viewer.until("chat", id=3)
    assert [event["id"] for event in viewer.of("chat")] == [1, 2, 3]


async def test_personal_events(house: House) -> None:
    """An owner's event reaches every connection of the owner before the frame that covers it, and nobody else."""
    channel = house.open()
    ann, ann_again, ben = [await house.join(who) for who in ("ann", "ann", "ben")]
    for viewer in (ann, ann_again, ben):
        await viewer.until("welcome")
    channel.entry(1, 0, [(ORDER, {"owner": "ann", "id": "o1", "state": "paid"}), (CHAT, {"id": 1, "owner": "ann"})])
    channel.entry(2, 0, [(ORDER, {"owner": "ann", "id": "o2", "state": "held"})])
    channel.entry(3, 0, [(CHAT, {"id": 3})])
    for viewer in (ann, ann_again, ben):
        await viewer.until("chat", id=3)
    for viewer in (ann, ann_again):
        frames = [frame for frame in viewer.frames if isinstance(frame, EventsFrame)]
        kinds = [event["type"] for frame in frames for event in frame.events if event["type"] in ("order", "chat")]
        assert kinds == ["order", "order", "chat", "chat"]
        assert [frame.upto for frame in frames if frame.events[0]["type"] == "order"] == [0, 0]
        assert all("owner" not in event for event in viewer.events)
    assert not ben.of("order")
    assert all("owner" not in event and "ann" not in event.values() for event in ben.events)


async def test_current_values(house: House) -> None:
    """Of stock only the newest value is sent, and a joiner gets it as it is now."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("viewers", count=1)
    for left in range(50, 0, -1):
        channel.entry(51 - left, 0, [(STOCK, {"offer": "of1", "left": left})])
    await viewer.until("stock", left=1)
    assert len(viewer.of("stock")) <= 2
    late = await house.join()
    assert (await late.until("stock"))["left"] == 1


async def test_reactions_are_not_replayed(house: House) -> None:
    """A reaction reaches whoever is there and nobody who comes later."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    channel.react("heart")
    assert (await viewer.until("reaction"))["loss"] == "may_drop"
    late = await house.join(after=0, epoch="e1")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await late.until("chat")
    assert not late.of("reaction")


async def test_remarks_are_not_replayed(house: House) -> None:
    """A line of captions reaches whoever is there at once, may be dropped, and reaches nobody who comes later."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    channel.remark("caption", {"text": "Look", "lang": "en", "begins_ms": 5, "ends_ms": 2005})
    told = await viewer.until("caption")
    assert (told["loss"], told["text"], told["begins_ms"], told["ends_ms"]) == ("may_drop", "Look", 5, 2005)
    late = await house.join(after=0, epoch="e1")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await late.until("chat")
    assert not late.of("caption")


async def test_reactions_are_counted(start: Start) -> None:
    """However many react at once, viewers get one event for each kind a tick, with its count; none is left out."""
    house = await start(limits=Limits(sweep_ms=60_000))
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    for _ in range(1_000):
        channel.react("heart")
        channel.react("wow")
    await viewer.until("reaction")
    assert {event["kind"]: event["count"] for event in viewer.of("reaction")} == {"heart": 1_000, "wow": 1_000}
    channel.react("heart")
    await viewer.until("reaction", count=1)
    assert len(viewer.of("reaction")) == 3


async def test_viewer_count(house: House) -> None:
    """The viewer count follows who comes and goes."""
    house.open()
    first = await house.join()
    await first.until("viewers", count=1)
    second = await house.join()
    await first.until("viewers", count=2)
    await second.socket.close()
    first.events.clear()
    await first.until("viewers", count=1)
    assert house.hub.stats()[SHOW]["viewers"] == 1


async def test_without_media(house: House) -> None:
    """With media=0 no init and no fragment comes, events do."""
    channel = house.open()
    source = Source(channel)
    source.begin()
    source.send(5)
    viewer = await house.join(media=0)
    await viewer.until("welcome")
    source.send(5)
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    await viewer.until("chat")
    assert not any(isinstance(frame, Init | list) for frame in viewer.frames)


async def test_new_generation(house: House) -> None:
    """A new init reaches everyone before fragments of its generation."""
    channel = house.open()
    source = Source(channel)
    source.begin()
    source.send(3)
    viewer = await house.join()
    await viewer.until_media()
    channel.media_init(Init(1, 1, "video/mp4", b"smaller"))
    channel.media([Fragment(1, True, 1, 0, 500_000, b"p")])
    assert (await viewer.next()) == Init(1, 1, "video/mp4", b"smaller")
    assert (await viewer.until_media())[0].generation == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expires_ms": 1}, 4001),
        ({"hub": "edge-9"}, 4001),
        ({"show": "show000002"}, 4001),
        ({"lease": 2}, None),
        ({"lease": 1}, 4011),
        ({"lease": 3}, 4011),
        ({"lease": 0}, 4011),
    ],
)
async def test_tickets_at_the_door(house: House, changes: dict[str, object], code: int | None) -> None:
    """A ticket that has run out, is for another hub or show, or of a lease that is not the hub's does not pass."""
    house.open(lease=2)
    viewer = await house.join(ticket=house.ticket(**{"lease": 2, **changes}))
    if code is None:
        await viewer.until("welcome")
    else:
        assert await viewer.closed() == code
        assert viewer.frames == []


async def test_ticket_passes_once(house: House) -> None:
    """A ticket that has been used is refused, however often and however quickly it comes again."""
    house.open()
    ticket = house.ticket("ann")
    viewers = await asyncio.gather(*(house.join(ticket=ticket) for _ in range(5)))

    async def outcome(viewer: object) -> int:
        try:
            await viewer.until("welcome")
        except Exception:
            return await viewer.closed()
        return 0

    assert sorted(await asyncio.gather(*map(outcome, viewers))) == [0, 4001, 4001, 4001, 4001]


async def test_tampered_tickets(house: House) -> None:
    """A ticket with any character changed, cut short or made up is refused with 4001."""
    house.open()
    good = house.ticket("ann")
    other = "A" if good[10] != "A" else "B"
    for ticket in (good[:10] + other + good[11:], good[:-3], good + "A", good.split(".")[0], ".", "%00", ""):
        viewer = await house.join(ticket=ticket or "%20")
        assert await viewer.closed() == 4001


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [("http://shop.example", True), (None, True), ("http://evil.example", False), ("null", False)],
)
async def test_origins(house: House, origin: str | None, welcome: bool) -> None:
    """Pages of other origins are refused; no origin at all is let in by its ticket."""
    house.open()
    address = house.address(house.ticket())
    viewer = Viewer(await connect(address, origin=origin, subprotocols=["livesale.v1"], proxy=None))
    if welcome:
        await viewer.until("welcome")
    else:
        assert await viewer.closed() == 4003


async def test_other_paths(house: House) -> None:
    """Any other address is a 404, an edge without a token a 401."""
    for path, status in (("/", 404), ("/v1/shows/UPPER?ticket=x", 404), (f"/v1/relay/{SHOW}", 401)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.base + path, proxy=None)
        assert refused.value.response.status_code == status


async def test_too_many(start: Start) -> None:
    """Beyond the hub's limit, or one account's, a viewer is told that there are too many connections."""
    house = await start(limits=Limits(max_viewers=3, max_per_tag=2))
    house.open()
    for who in ("ann", "ann"):
        await (await house.join(who)).until("welcome")
    assert await (await house.join("ann")).closed() == 4429
    await (await house.join()).until("welcome")
    assert await (await house.join("ben")).closed() == 4429


async def test_end_and_move(house: House) -> None:
    """When a show ends viewers get 4010, late ones too; when it moves, 4011."""
    channel = house.open()
    viewer = await house.join()
    await viewer.until("welcome")
    channel.entry(1, 0, [(CHAT, {"id": 1})])
    house.hub.end(SHOW)
    assert await viewer.closed() == 4010
    assert viewer.of("chat"), "what waited leaves before the end"
    assert await (await house.join()).closed() == 4010
    house.open(epoch="e2")
    viewer = await house.join()
    await viewer.until("welcome")
    house.hub.drop(SHOW)
    assert await viewer.closed() == 4011
    assert await (await house.join()).closed() == 4011


async def test_a_viewer_that_leaves_is_forgotten(house: House) -> None:
    """Whoever says goodbye, or vanishes, is gone from every list."""
    channel = house.open()
    polite, rude = await house.join(), await house.join()
    for viewer in (polite, rude):
        await viewer.until("welcome")
    await polite.socket.close()
    rude.socket.transport.abort()
    async with asyncio.timeout(PATIENCE_S):
        while channel.receivers():
            Source(channel).send()
            await asyncio.sleep(0)
    assert channel.presence.here == 0
