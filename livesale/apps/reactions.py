"""Reactions on their way from `web` to the studio that has the show: never stored, lost when nobody has it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import structlog

from livesale.store.valkey import Store
from livesale.store.whisper import overheard, whisper

REACTIONS = "livesale:reactions"

log = structlog.get_logger(__name__)


class Reaction(msgspec.Struct, frozen=True, array_like=True):
    """Somebody reacted to a show."""

    show: str
    kind: str


_decoder = msgspec.msgpack.Decoder(Reaction)


async def tell(store: Store, show: str, kind: str) -> None:
    """Tell every studio."""
    await whisper(store, REACTIONS, msgspec.msgpack.encode(Reaction(show, kind)))


async def reactions(store: Store) -> AsyncIterator[Reaction]:
    """Every reaction to any show from now on."""
    async for message in overheard(store, REACTIONS):
        try:
            yield _decoder.decode(message)
        except msgspec.MsgspecError as error:  # a `web` of another version: its hearts are not worth a studio
            log.warning("a reaction could not be read", why=str(error))
