"""A show changes studios, by a takeover, a stop or a kill: media time and generations only grow, nobody is turned away."""

from __future__ import annotations

import asyncio

import pytest

from livesale.apps.air import read_air
from livesale.apps.wiring import Wiring
from livesale.kernel.refusals import Refusal
from livesale.media.frames import VIDEO
from livesale.media.ring import Fragment, Init
from livesale.shows.model import Show
from livesale.shows.service import whip_token
from tests.apps.studios import HOST, PATIENCE_S, Page, first_or_code, holds, join, notices_of, ring_of, studios
from tests.media.hosts import Host
from tests.media.test_packager import Taken
from tests.media.test_recording import record
from tests.media.test_uplink import KEY, message


async def test_a_takeover_goes_on_behind_what_was_recorded(wiring: Wiring, show: Show) -> None:
    """A studio that takes a show over begins a second behind the last part on disk, which the one before may have lost."""
    ring = Taken()
    Host(ring).run(3)
    ring.packager.finish()
    record(wiring.settings.recordings_folder / show.id, ring.parts)
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        assert (await ring_of(one, show.id)).end_us == ring.parts[-1].end_us + 1_000_000


async def test_a_studio_that_takes_over_goes_on_behind_what_was_sent(wiring: Wiring, show: Show) -> None:
    """Media time and generations only grow over studios: edges and players drop what does not; the host is missed."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        await holds(one, show.id)
        ring = await ring_of(one, show.id)
        ring.put_init(Init(VIDEO, 7, "video/mp4", b"init"))
        ring.put(Fragment(VIDEO, True, 7, 0, 9_000_000_000, b"key"), 9_000_040_000)
        async with asyncio.timeout(PATIENCE_S):
            while await read_air(wiring.store, show.id) == (0, 0):
                await asyncio.sleep(0.01)
        await one.freeze()
        await wiring.store.ask("DEL", f"{{show:{show.id}}}:lease")
        await two.start()
        await holds(two, show.id)
        after = await ring_of(two, show.id)
        assert (after.end_us, after.generation) > (9_000_040_000, 7)
        assert after.generation > 7
        assert await notices_of(await join(wiring, show.id, "two"), "host", 1) == ["away"]

        await wiring.shows.move(HOST, show.id, "end")
        async with asyncio.timeout(PATIENCE_S):
            while await read_air(wiring.store, show.id) != (0, 0):
                await asyncio.sleep(0.01)


async def test_a_studio_killed_at_once_is_gone_on_behind_too(wiring: Wiring, show: Show) -> None:
    """A generation is told to the store before its first picture can leave, not a second later: studios that are killed
    with the first picture never use one twice, and viewers of the next read that the host is away."""
    async with studios(wiring, "one", "two", "three") as processes:
        used: list[int] = []
        for process in processes:
            await process.start()
            await holds(process, show.id)
            ring = await ring_of(process, show.id)
            await process.freeze()  # from here on it tells nothing by itself
            told = b"".join(process.hub.channel(show.id).current.values())
            assert (b"away" in told) == bool(used)
            assert await process.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
            publisher = await process.broadcasts.publish_by(show.id, Page(), sound=False, picture=True)
            publisher.take(message(VIDEO, 1_000_000, KEY))
            used.append(ring.generation)
            await wiring.store.ask("DEL", f"{{show:{show.id}}}:lease")
        assert used[0] < used[1] < used[2], used


async def test_a_studio_that_stops_sends_everyone_on(wiring: Wiring, show: Show) -> None:
    """Its host is hung up on at once and finds the next studio, which has the show already; its viewers read that the host
    is away, then 4011; and nobody is sent to it any more."""
    async with studios(wiring, "one", "two") as (one, two):
        await one.start()
        lease = await holds(one, show.id)
        await two.start()
        assert await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        page = Page()
        publisher = await one.broadcasts.publish_by(show.id, page, sound=False, picture=True)
        publisher.take(message(VIDEO, 1_000_000, KEY))
        sent = await ring_of(one, show.id)
        viewer = await join(wiring, show.id, "one")
        assert await first_or_code(viewer) == "welcome"

        await one.freeze()  # as SIGTERM begins
        await one.studio.retire()
        assert page.gone
        with pytest.raises(Refusal) as refused:
            await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        assert refused.value.code == "store_unavailable"
        assert await notices_of(viewer, "host", 1) == ["away"]
        await one.hub.retire()
        assert await first_or_code(viewer) == 4011
        assert await holds(two, show.id) > lease
        async with asyncio.timeout(PATIENCE_S):
            while (there := await wiring.presence.studio_of(show.id)) is None:
                await asyncio.sleep(0.01)
        assert there.name == "two"
        goes_on = await ring_of(two, show.id)
        assert (goes_on.end_us, goes_on.generation) > (sent.end_us, sent.generation)
        assert goes_on.generation > sent.generation
        assert await first_or_code(await join(wiring, show.id, "two")) == "welcome"


async def test_a_host_is_not_turned_away_while_its_show_changes_studios(wiring: Wiring, show: Show) -> None:
    """The right token at a studio that does not have the show yet is "try again"; the wrong one is no, there too."""
    elsewhere = "elsewhere0"
    async with studios(wiring, "one") as (one,):
        await one.start()
        await holds(one, show.id)
        assert await one.studio.may_publish(show.id, whip_token(wiring.tag_key, show.id))
        assert not await one.studio.may_publish(elsewhere, "other")
        with pytest.raises(Refusal) as refused:
            await one.studio.may_publish(elsewhere, whip_token(wiring.tag_key, elsewhere))
        assert (refused.value.code, refused.value.retry_after_s) == ("store_unavailable", 1)
