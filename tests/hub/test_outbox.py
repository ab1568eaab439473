"""The outbox without a socket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from livesale.hub.outbox import MEDIA, Outbox, Packet, Verdict
from livesale.kernel.events import LATEST, MAY_DROP, MUST


def outbox(budget_us: int = 500_000, must_bytes: int = 1_000) -> Outbox:
    made = Outbox(budget_us=budget_us, max_must_bytes=must_bytes)
    made.socket_blocked(0)
    return made


def media(at_us: int) -> Packet:
    return Packet(b"m", MEDIA, at_us, at_us)


def test_budget() -> None:
    """Media within the budget waits in order; beyond it all of it goes and a key frame is owed."""
    box = outbox()
    for at_us in range(0, 500_001, 100_000):
        assert box.offer(media(at_us), 1) is Verdict.KEPT
    assert box.offer(Packet(b"e", MUST), 1) is Verdict.KEPT
    assert box.offer(media(600_000), 1) is Verdict.SKIPPED
    assert box.hole
    assert box.offer(media(700_000), 1) is Verdict.DROPPED
    packet = box.pop()
    assert packet is not None
    assert packet.data == b"e"
    assert box.pop() is None


def test_budget_counts_what_still_waits() -> None:
    """What has been handed over no longer counts against the budget."""
    box = outbox()
    for at_us in range(0, 5_000_000, 100_000):
        assert box.offer(media(at_us), 1) is Verdict.KEPT
        if len(box) > 4:
            box.pop()


def test_must_overflow() -> None:
    """More `must` than the limit is told, and what was popped counts no more."""
    box = outbox(must_bytes=10)
    assert box.offer(Packet(b"12345678", MUST), 0) is Verdict.KEPT
    box.pop()
    assert box.offer(Packet(b"12345678", MUST), 0) is Verdict.KEPT
    assert box.offer(Packet(b"123", MUST), 0) is Verdict.OVERFLOW


def test_losable() -> None:
    """`latest` is owed, `may_drop` forgotten; neither waits."""
    box = outbox()
    assert box.offer(Packet(b"r", MAY_DROP), 0) is Verdict.DROPPED
    assert not box.latest_owed
    assert box.offer(Packet(b"s", LATEST), 0) is Verdict.DROPPED
    assert box.latest_owed
    assert len(box) == 0


def test_too_slow() -> None:
    """Behind for longer than the limit is too slow; a pause without a skip ends being behind."""
    box = outbox(budget_us=0)
    assert not box.too_slow(10_000, 10_000, 3_000)
    assert box.too_slow(10_001, 10_000, 3_000)
    box.blocked = False
    assert not box.too_slow(10_001, 10_000, 3_000)
    assert box.behind_since_ms is None


def test_limping() -> None:
    """Whoever skips again and again is too slow, though its socket is free in between."""
    box = outbox(budget_us=0)
    for now_ms in range(0, 12_000, 2_000):
        box.hole = False
        box.socket_blocked(now_ms)
        box.offer(media(now_ms), now_ms)
        box.offer(media(now_ms + 1), now_ms)
        box.blocked = False
    assert box.too_slow(11_000, 10_000, 3_000)
    assert not box.too_slow(13_001, 10_000, 3_000), "3 s after its last skip it has settled"


@given(some.lists(some.tuples(some.sampled_from([MUST, LATEST, MAY_DROP, MEDIA, "pop"]), some.integers(0, 300_000))))
def test_laws(steps: list[tuple[str, int]]) -> None:
    """Whatever comes: `must` comes out whole and in order; media without a hole and within the budget."""
    box = outbox(must_bytes=10**6)
    at_us, given_must, taken = 0, 0, []
    for loss, step_us in steps:
        if loss == "pop":
            packet = box.pop()
            taken += [packet] if packet else []
        elif loss == MEDIA:
            at_us += step_us
            box.offer(media(at_us), 0)
        else:
            given_must += loss == MUST
            box.offer(Packet(str(given_must).encode(), loss), 0)
        waiting = [each.from_us for each in box._queue if each.loss == MEDIA]
        assert not waiting or waiting[-1] - waiting[0] <= 500_000
        assert not (box.hole and waiting)
    while packet := box.pop():
        taken.append(packet)
    assert [each.data for each in taken if each.loss == MUST] == [str(n + 1).encode() for n in range(given_must)]
