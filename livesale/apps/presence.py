"""Presence: who is there right now, told each second and forgotten after five. Nothing durable rests on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from livesale.store.valkey import Store

FORGET_AFTER_MS = 5_000
HUBS = "{livesale}:hubs"


class HubSeen(msgspec.Struct, frozen=True):
    """A hub as it told of itself: `kind` studio or edge, `control` takes WHIP, `at` is ms."""

    name: str
    kind: str
    url: str
    control: str
    shows: list[str]
    viewers: int
    at: int


@dataclass(frozen=True, slots=True)
class Presence:
    """Reads and writes what processes tell of themselves."""

    store: Store

    async def tell_hub(
        self, name: str, kind: str, url: str, control: str, shows: list[str], figures: dict[str, Any]
    ) -> None:
        """Say that this hub is there."""
        viewers = sum(int(one.get("viewers", 0)) for one in figures.values())
        seen = HubSeen(name, kind, url, control, shows, viewers, self.store.now_ms())
        await self.store.ask("HSET", HUBS, name, msgspec.json.encode(seen))

    async def hubs(self) -> list[HubSeen]:
        """The hubs that told of themselves lately."""
        told = await self.store.ask("HGETALL", HUBS)
        seen = [msgspec.json.decode(value, type=HubSeen) for value in told.values()]
        return [hub for hub in seen if self.store.now_ms() - hub.at < FORGET_AFTER_MS]

    async def tell_show(self, show: str, figures: dict[str, Any]) -> None:
        """Say how a show is doing."""
        flat = [part for pair in figures.items() for part in (pair[0], str(pair[1]))]
        key = f"{{show:{show}}}:live"
        await self.store.ask("HSET", key, *flat)
        await self.store.ask("PEXPIRE", key, FORGET_AFTER_MS)

    async def show(self, show: str) -> dict[str, Any]:
        """How a show is doing; whole numbers as such; empty when nobody holds it."""
        told = await self.store.ask("HGETALL", f"{{show:{show}}}:live")
        read = {name.decode(): value.decode() for name, value in told.items()}
        return {name: int(value) if value.lstrip("-").isdecimal() else value for name, value in read.items()}
