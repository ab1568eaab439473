"""Captions on their way from `web` to the studio that has the show: like reactions told once, and kept by that studio."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from livesale.media.captions import Cue
from livesale.store.valkey import Store
from livesale.store.whisper import overheard_as, whisper

CAPTIONS = "livesale:captions"


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A line of captions of a show."""

    show: str
    cue: Cue


async def tell(store: Store, show: str, cue: Cue) -> None:
    """Tell every studio."""
    await whisper(store, CAPTIONS, msgspec.msgpack.encode(Said(show, cue)))


def captions(store: Store) -> AsyncIterator[Said]:
    """Every line of any show from now on."""
    return overheard_as(store, CAPTIONS, Said)
