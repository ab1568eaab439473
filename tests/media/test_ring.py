"""The ring: what a joiner gets, what followers get, and how much is kept."""

from __future__ import annotations

import pytest

from livesale.media.frames import AUDIO, VIDEO
from livesale.media.ring import MAX_BATCH_MS, MIN_BATCH_MS, Fragment, Init, Item, Ring, batch_ms_for
from tests.support.media import until


def picture(number: int, key: bool = False, size: int = 100) -> Fragment:
    return Fragment(VIDEO, key, 1, number, number * 33_000, bytes(size))


def sound(number: int) -> Fragment:
    return Fragment(AUDIO, True, 1, number, number * 20_000, bytes(10))


def put(ring: Ring, *fragments: Fragment) -> None:
    for fragment in fragments:
        ring.put(fragment, fragment.time_us + 20_000)


def started(**options: int) -> Ring:
    ring = Ring(**options)
    ring.put_init(Init(VIDEO, 1, "video/mp4", b"v"))
    ring.put_init(Init(AUDIO, 1, "audio/mp4", b"a"))
    return ring


async def test_a_joiner_gets_the_group_of_pictures_and_the_sound_over_it() -> None:
    """From the last key frame on, with the sound packet that is sounding when it starts and all after."""
    ring = started()
    put(ring, picture(0, key=True), sound(0), sound(1), picture(1), sound(2), sound(3), picture(2, key=True))
    put(ring, sound(4), picture(3))
    ring.flush()

    inits, fragments = ring.snapshot()

    assert [init.track for init in inits] == [VIDEO, AUDIO]
    assert fragments == [sound(3), picture(2, key=True), sound(4), picture(3)]
    assert ring.size_bytes == 220


async def test_a_joiner_then_follows_without_hole_or_repetition() -> None:
    """What waits in a batch is not in the snapshot but in what follows."""
    ring = started()
    put(ring, picture(0, key=True))
    ring.flush()
    put(ring, sound(0))
    got: list[Item] = []

    _, fragments = ring.snapshot()
    ring.subscribe(got.append)
    ring.flush()

    assert fragments == [picture(0, key=True)]
    assert got == [[sound(0)]]


async def test_fragments_leave_in_batches_of_the_set_length() -> None:
    """At 100 ms several pictures leave together; none waits for ever."""
    ring = started()
    ring.batch_ms = 100
    got: list[Item] = []
    ring.subscribe(got.append)
    put(ring, picture(0, key=True))
    await until(lambda: len(got) == 1)
    put(ring, picture(1), sound(1), picture(2))
    await until(lambda: len(got) == 2)
    assert got[1] == [picture(1), sound(1), picture(2)]


@pytest.mark.parametrize(
    ("viewers", "batch_ms"),
    [(0, MIN_BATCH_MS), (1, MIN_BATCH_MS), (500, MIN_BATCH_MS), (900, 60), (1_500, MAX_BATCH_MS), (9_999, MAX_BATCH_MS)],
)
def test_the_batch_grows_with_the_viewers(viewers: int, batch_ms: int) -> None:
    """One picture's time for few, 100 ms for many, and in between as many batches a second for all of them together."""
    assert batch_ms_for(viewers) == batch_ms


async def test_an_endless_group_of_pictures_does_not_fill_the_memory() -> None:
    """Beyond its bound the ring lets the group go; joiners get the inits and wait for the next key frame."""
    ring = started(max_bytes=1_000)
    put(ring, picture(0, key=True), *(picture(number) for number in range(1, 200)))
    ring.flush()

    assert ring.size_bytes <= 1_000
    inits, fragments = ring.snapshot()
    assert len(inits) == 2
    assert fragments == []

    put(ring, picture(200, key=True), picture(201))
    ring.flush()
    assert ring.snapshot()[1] == [picture(200, key=True), picture(201)]


async def test_a_new_init_is_told_in_order_and_ends_the_old_group() -> None:
    """Followers get what was waiting, then the init; who joins then gets no pictures of the old one."""
    ring = started()
    got: list[Item] = []
    ring.subscribe(got.append)
    put(ring, picture(0, key=True))
    ring.flush()
    put(ring, sound(0))
    ring.put_init(Init(VIDEO, 2, "video/mp4", b"w"))

    assert [type(item) for item in got] == [list, list, Init]
    assert ring.snapshot()[1] == []
    assert ring.generation == 2


async def test_one_failing_follower_does_not_stop_the_others() -> None:
    """An exception in a callback is logged, and everyone else gets everything."""

    def fail(item: Item) -> None:
        raise RuntimeError("viewer's fault")

    ring = started()
    got: list[Item] = []
    ring.subscribe(fail)
    end = ring.subscribe(got.append)
    put(ring, picture(0, key=True))
    ring.flush()
    end()
    put(ring, picture(1))
    ring.flush()

    assert got == [[picture(0, key=True)]]


async def test_a_ring_taken_over_goes_on_where_it_was() -> None:
    """A studio that takes over hands in the last position and generation."""
    ring = Ring(end_us=7_000_000, generation=4)
    assert (ring.end_us, ring.generation) == (7_000_000, 4)
    put(ring, picture(1))
    assert ring.end_us == 7_000_000
    ring.close()
    assert ring.snapshot() == ([], [])
