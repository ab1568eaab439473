"""Reactions on their way from `web` to the studio that has the show: never stored, lost when nobody has it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from livesale.store.valkey import Store
from livesale.store.whisper import overheard_as, whisper

REACTIONS = "livesale:reactions"


class Reaction(msgspec.Struct, frozen=True, array_like=True):
    """Somebody reacted to a show."""

    show: str
    kind: str


async def tell(store: Store, show: str, kind: str) -> None:
    """Tell every studio."""
    await whisper(store, REACTIONS, msgspec.msgpack.encode(Reaction(show, kind)))


def reactions(store: Store) -> AsyncIterator[Reaction]:
    """Every reaction to any show from now on."""
    return overheard_as(store, REACTIONS, Reaction)
