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

    async def studio_of(self, show: str) -> HubSeen | None:
        """The studio that holds a show."""
        return next((seen for seen in await self.hubs() if seen.kind == "studio" and show in seen.shows), None)
