"""Records as the rooms write them: one msgspec struct, msgpack-encoded, under one name on a shelf."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TypeVar

import msgspec

from livesale.store.decision import Put
from livesale.store.valkey import Versioned

R = TypeVar("R", bound=msgspec.Struct)

encode = msgspec.msgpack.Encoder().encode


def load(kind: type[R], stored: Versioned | None) -> R | None:
    """The stored record as `kind`; None when there is none."""
    return None if stored is None else _decoder(kind).decode(stored.data)


@lru_cache(maxsize=512)
def load_shared(kind: type[R], stored: Versioned | None) -> R | None:
    """As `load`, for records that every order reads and few change: decoded once, so nobody may change what is in it."""
    return load(kind, stored)


@cache
def _decoder(kind: type[R]) -> msgspec.msgpack.Decoder[R]:
    return msgspec.msgpack.Decoder(kind)


def version(stored: Versioned | None) -> int:
    """The version a Put or an expectation names: 0 when there is none."""
    return 0 if stored is None else stored.version


def put(name: str, stored: Versioned | None, value: msgspec.Struct) -> Put:
    """Write `value` as record `name` in place of what was read."""
    return Put(name, version(stored), encode(value))
