"""Captions on their way from `web` to the studio that has the show: like reactions told once, and kept by that studio."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import structlog

from livesale.media.captions import Cue
from livesale.store.valkey import Store
from livesale.store.whisper import overheard, whisper

CAPTIONS = "livesale:captions"

log = structlog.get_logger(__name__)


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A line of captions of a show."""

    show: str
    cue: Cue


_decoder = msgspec.msgpack.Decoder(Said)


async def tell(store: Store, show: str, cue: Cue) -> None:
    """Tell every studio."""
    await whisper(store, CAPTIONS, msgspec.msgpack.encode(Said(show, cue)))


async def captions(store: Store) -> AsyncIterator[Said]:
    """Every line of any show from now on."""
    async for message in overheard(store, CAPTIONS):
        try:
            yield _decoder.decode(message)
        except msgspec.MsgspecError as error:  # a `web` of another version
            log.warning("a caption could not be read", why=str(error))
