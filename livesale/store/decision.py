"""Decision: what a model wants done to one shelf, whole or not at all. Pure data; `commit.lua` carries it out.

Sizes (checked by the store before its first write): at most 500 writes, 256 KiB a record, 256 KiB of events.
"""

from __future__ import annotations

from typing import Any, Literal

import msgpack
import msgspec

from livesale.kernel.events import Event
from livesale.kernel.ids import random_name

_pack = msgpack.Packer(use_bin_type=False).pack  # one packer for all: it empties itself after each value
NEXT_SEQ: Literal["seq"] = "seq"  # a mark's score: the position of the entry this commit appends


class Counter(msgspec.Struct, frozen=True):
    """Add `delta` to counter `name`; afterwards it must be within `floor` and `ceiling` (None: unbounded)."""

    name: str
    delta: int
    floor: int | None = 0
    ceiling: int | None = None


class Put(msgspec.Struct, frozen=True):
    """Write `data` as record `record`, which must now have version `replaces` (0: must not exist)."""

    record: str
    replaces: int
    data: bytes


class Mark(msgspec.Struct, frozen=True):
    """Put `member` into sorted index `index` at `score` (ms, or NEXT_SEQ), or take it out (None)."""

    index: str
    member: str
    score: int | Literal["seq"] | None


class Once(msgspec.Struct, frozen=True):
    """Reply cache: the same `scope` and `key` gets `answer` again for 24 h; another `fingerprint` is refused."""

    scope: str
    key: str
    fingerprint: str
    answer: bytes = b""


class Decision(msgspec.Struct, frozen=True):
    """One atomic act on `shelf`. A Decision repeated with the same `id` has happened once."""

    shelf: str
    expect: tuple[tuple[str, int], ...] = ()
    counters: tuple[Counter, ...] = ()
    puts: tuple[Put, ...] = ()
    drops: tuple[tuple[str, int], ...] = ()
    marks: tuple[Mark, ...] = ()
    not_before: int | None = None
    once: Once | None = None
    events: tuple[Event, ...] = ()
    id: str = msgspec.field(default_factory=random_name)

    def changes(self) -> bool:
        """Whether it writes anything but its own answer: only then readers and deadlines need to know the shelf."""
        return bool(self.counters or self.puts or self.drops or self.marks or self.events)

    def once_key(self) -> str:
        """The key, behind `{shelf}:once:`, under which the answer is kept."""
        return f"k:{self.once.scope}:{self.once.key}" if self.once else f"d:{self.id}"

    def indexes(self) -> list[str]:
        """The indexes its marks touch, in the order their keys are handed over."""
        found: list[str] = []
        for mark in self.marks:
            if mark.index not in found:
                found.append(mark.index)
        return found

    def packed(self) -> bytes:
        """The msgpack the store reads (`use_bin_type=False`: Valkey's cmsgpack knows no bin type)."""
        indexes = self.indexes()
        fields: dict[str, Any] = {
            "id": self.id,
            "expect": self.expect,
            "counters": [
                (c.name, c.delta)
                if c.floor is None and c.ceiling is None
                else (c.name, c.delta, _given(c.floor), _given(c.ceiling))
                for c in self.counters
            ],
            "puts": [(p.record, p.replaces, p.data) for p in self.puts],
            "drops": self.drops,
            "indexes": indexes,
            "marks": [(indexes.index(m.index) + 1, m.member, _given(m.score)) for m in self.marks],
            "not_before": _given(self.not_before),
            "once": (self.once.fingerprint, self.once.answer) if self.once else False,
            "events": _pack(self.events),
        }
        packed: bytes = _pack(fields)
        return packed


def _given(value: int | str | None) -> int | str:
    """`value`, or `false` for None: a nil inside a Lua list would end it."""
    return False if value is None else value


class Committed(msgspec.Struct, frozen=True):
    """What became of a Decision: its log position, the store's time, the answer kept under its key."""

    seq: int
    at_ms: int
    answer: bytes
    replayed: bool


class NotCommitted(Exception):
    """The Decision was not carried out; nothing changed."""


class Conflict(NotCommitted):
    """Records it read or replaces have other versions now: load and decide again."""

    def __init__(self, records: list[str]) -> None:
        super().__init__(", ".join(records))
        self.records = records


class Lack(msgspec.Struct, frozen=True):
    """One counter that would have left its bounds: it stands at `now`, the Decision wanted to add `delta`."""

    name: str
    now: int
    delta: int


class Short(NotCommitted):
    """Counters would leave their bounds; names every one that does not fit."""

    def __init__(self, lacks: list[Lack]) -> None:
        super().__init__(", ".join(lack.name for lack in lacks))
        self.lacks = lacks


class Early(NotCommitted):
    """The store's clock has not reached `not_before`."""


class KeyReused(NotCommitted):
    """The idempotency key was used with another fingerprint."""


class Invalid(NotCommitted):
    """The store found a field of the wrong type, size or count: a bug in the room that made it."""
