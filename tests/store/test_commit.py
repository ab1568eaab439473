"""The commit against the real store: the five laws of COMMIT.md, each by what would break it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from livesale.store.decision import (
    NEXT_SEQ,
    Conflict,
    Counter,
    Decision,
    Early,
    Invalid,
    KeyReused,
    Mark,
    Once,
    Put,
    Short,
)
from livesale.store.log import read_log
from livesale.store.valkey import Store, _keys

SHELF = "show:abc"
BOUGHT = ({"type": "bought", "quantity": 1},)


async def digest(store: Store) -> str:
    """Everything the shelf holds, as one hash."""
    found = []
    for key in sorted(await store.client.keys("*")):
        kind = await store.client.type(key)
        found.append(
            (key, await store.client.dump(key) if kind != b"stream" else await store.client.xrange(key))
        )
    return hashlib.sha256(repr(found).encode()).hexdigest()


async def test_a_commit_writes_entry_counters_records_and_marks(store: Store) -> None:
    """Everything a Decision says is there afterwards, at the log position it was told."""
    done = await store.commit(
        Decision(
            SHELF,
            counters=(Counter("left", 5), Counter("held", 2)),
            puts=(Put("order:1", 0, b"\x00\xffbytes"),),
            marks=(Mark("due", "order:1", 1234), Mark("line", "order:1", NEXT_SEQ)),
            events=BOUGHT,
        )
    )
    assert (done.seq, done.replayed) == (1, False)
    found = await store.read(SHELF, "order:1", "order:2")
    assert found["order:1"].version == 1
    assert found["order:1"].data == b"\x00\xffbytes"
    assert found["order:2"] is None
    assert await store.counters(SHELF) == {"left": 5, "held": 2}
    assert await store.due(SHELF, "due", 1234) == ["order:1"]
    assert await store.client.zscore("{show:abc}:m:line", "order:1") == 1
    assert await store.active_shelves() == [SHELF]
    [entry] = await read_log(store, SHELF)
    assert entry.fields() == {
        "id": entry.fields()["id"],
        "at": done.at_ms,
        "counters": [["left", 5, 5], ["held", 2, 2]],
        "puts": [["order:1", 1, hashlib.sha1(b"\x00\xffbytes").hexdigest()]],
        "drops": [],
        "events": [{"type": "bought", "quantity": 1}],
    }


async def test_a_repeated_decision_has_happened_once(store: Store) -> None:
    """The same id again changes nothing and gives the first position."""
    decision = Decision(SHELF, counters=(Counter("left", 5),))
    first = await store.commit(decision)
    again = await store.commit(decision)
    assert again.replayed
    assert again.seq == first.seq
    assert await store.counters(SHELF) == {"left": 5}


async def test_short_names_every_counter_and_changes_nothing(store: Store) -> None:
    """Two lacks are both told, and a line that would fit is not written."""
    await store.commit(Decision(SHELF, counters=(Counter("a", 1), Counter("b", 1), Counter("c", 1))))
    before = await digest(store)
    with pytest.raises(Short) as refused:
        await store.commit(Decision(SHELF, counters=(Counter("a", -2), Counter("b", -1), Counter("c", -3))))
    assert [(lack.name, lack.now, lack.delta) for lack in refused.value.lacks] == [("a", 1, -2), ("c", 1, -3)]
    assert await digest(store) == before


async def test_lines_of_one_counter_are_summed_before_the_check(store: Store) -> None:
    """Two lines of 3 do not both pass against 5."""
    await store.commit(Decision(SHELF, counters=(Counter("left", 5),)))
    with pytest.raises(Short):
        await store.commit(Decision(SHELF, counters=(Counter("left", -3), Counter("left", -3))))


async def test_a_ceiling_holds(store: Store) -> None:
    """A counter never passes its ceiling."""
    await store.commit(Decision(SHELF, counters=(Counter("buyer", 2, 0, 2),)))
    with pytest.raises(Short):
        await store.commit(Decision(SHELF, counters=(Counter("buyer", 1, 0, 2),)))


async def test_versions_guard_expects_puts_and_drops(store: Store) -> None:
    """Whatever was read or replaced with another version is named, and nothing is written."""
    await store.commit(Decision(SHELF, puts=(Put("a", 0, b"1"), Put("b", 0, b"1"))))
    await store.commit(Decision(SHELF, puts=(Put("a", 1, b"2"),)))
    for stale in (
        Decision(SHELF, expect=(("a", 1),), counters=(Counter("n", 1),)),
        Decision(SHELF, puts=(Put("a", 1, b"3"),)),
        Decision(SHELF, puts=(Put("a", 0, b"3"),)),
        Decision(SHELF, drops=(("a", 1),)),
        Decision(SHELF, expect=(("none", 1),), counters=(Counter("n", 1),)),
    ):
        before = await digest(store)
        with pytest.raises(Conflict):
            await store.commit(stale)
        assert await digest(store) == before
    await store.commit(Decision(SHELF, drops=(("a", 2),), expect=(("b", 1),)))
    assert (await store.read(SHELF, "a"))["a"] is None


async def test_once_replays_answers_and_refusals(store: Store) -> None:
    """The same key gives the first answer, a refusal too; another fingerprint is refused."""
    once = Once("acc:place", "k1", "f1", b"answer")
    await store.commit(Decision(SHELF, counters=(Counter("left", 1),)))
    first = Decision(SHELF, counters=(Counter("left", -1),), once=once)
    await store.commit(first)
    again = await store.commit(replace(first, id="another"))
    assert again.replayed
    assert again.answer == b"answer"
    with pytest.raises(KeyReused):
        await store.commit(replace(first, id="third", once=replace(once, fingerprint="f2")))
    short = Decision(SHELF, counters=(Counter("left", -1),), once=Once("acc:place", "k2", "f1"))
    with pytest.raises(Short):
        await store.commit(short)
    await store.commit(Decision(SHELF, counters=(Counter("left", 9),)))
    with pytest.raises(Short):
        await store.commit(replace(short, id="later"))
    assert await store.counters(SHELF) == {"left": 9}


async def test_not_before_follows_the_stores_clock(store: Store) -> None:
    """A deadline in the store's future is refused, one in its past is carried out."""
    expiry = Decision(SHELF, drops=(), counters=(Counter("n", 1),), not_before=store.now_ms() + 60_000)
    with pytest.raises(Early):
        await store.commit(expiry)
    await store.commit(replace(expiry, not_before=store.now_ms() - 1_000))


async def test_concurrent_buyers_never_oversell(store: Store) -> None:
    """200 commits at once for 50 units: exactly 50 go through and the log has no gap."""
    await store.commit(Decision(SHELF, counters=(Counter("left", 50),)))
    sale = [
        store.commit(Decision(SHELF, counters=(Counter("left", -1), Counter("sold", 1)))) for _ in range(200)
    ]
    done = await asyncio.gather(*sale, return_exceptions=True)
    assert sum(isinstance(one, Short) for one in done) == 150
    assert await store.counters(SHELF) == {"sold": 50}
    assert [entry.seq for entry in await read_log(store, SHELF)] == list(range(1, 52))


GOOD = Decision(
    SHELF,
    expect=(("seen", 0),),
    counters=(Counter("left", 1, 0, 5),),
    puts=(Put("r", 0, b"x"),),
    drops=(),
    marks=(Mark("due", "r", 5),),
    once=Once("s", "k", "f", b"a"),
    events=BOUGHT,
)

GOOD_FIELDS = msgpack.unpackb(GOOD.packed(), raw=True)

JUNK = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
    st.lists(st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=3)), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)


async def raw_commit(store: Store, argument: bytes) -> Any:
    keys = _keys(GOOD)
    return await store.client.execute_command("FCALL", "livesale_commit", len(keys), *keys, argument)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(GOOD_FIELDS)), junk=JUNK)
async def test_every_field_fuzzed_leaves_the_state_alone(store: Store, name: bytes, junk: Any) -> None:
    """After any error the store holds byte for byte what it held; what is accepted is a whole commit."""
    fields = {**GOOD_FIELDS, name: junk}
    try:
        argument = msgpack.packb(fields, use_bin_type=False)
    except (OverflowError, ValueError):
        return
    await store.client.flushall()
    before = await digest(store)
    try:
        reply = await raw_commit(store, argument)
    except Exception as error:
        assert "INVALID" in str(error), error
        assert await digest(store) == before
    else:
        if reply[0] == b"ok":
            entries = await read_log(store, SHELF)
            assert len(entries) == reply[1] == await store.seq(SHELF)
            assert all(entry.fields()["events"] is not None for entry in entries)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=60))
async def test_bytes_that_are_no_decision_are_refused(store: Store, junk: bytes) -> None:
    """Random bytes are INVALID and change nothing."""
    before = await digest(store)
    with pytest.raises(Exception, match="INVALID"):
        await raw_commit(store, junk)
    assert await digest(store) == before


async def test_more_than_500_writes_are_refused(store: Store) -> None:
    """501 counters are INVALID and nothing of them is written."""
    with pytest.raises(Invalid):
        await store.commit(Decision(SHELF, counters=tuple(Counter(f"c{i}", 1) for i in range(501))))
    assert await store.seq(SHELF) == 0
    await store.commit(Decision(SHELF, counters=tuple(Counter(f"c{i}", 1) for i in range(500))))
    assert len((await read_log(store, SHELF))[0].fields()["counters"]) == 500


async def test_a_guard_is_checked_and_neither_written_nor_logged(store: Store) -> None:
    """A counter with delta 0 keeps a Decision from happening outside its bounds, and leaves no trace when it is within."""
    guarded = (Counter("free", -1), Counter("waiting", 0, 0, 0))
    await store.commit(Decision(SHELF, counters=(Counter("free", 5), Counter("waiting", 1))))
    with pytest.raises(Short) as short:
        await store.commit(Decision(SHELF, counters=guarded))
    assert [(lack.name, lack.now, lack.delta) for lack in short.value.lacks] == [("waiting", 1, 0)]
    await store.commit(Decision(SHELF, counters=(Counter("waiting", -1),)))
    done = await store.commit(Decision(SHELF, counters=guarded))
    assert await store.counters(SHELF) == {"free": 4}
    [entry] = await read_log(store, SHELF, done.seq - 1)
    assert entry.fields()["counters"] == [["free", -1, 4]]
