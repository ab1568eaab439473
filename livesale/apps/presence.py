"""Presence: who is there right now, told each second and forgotten after five. Nothing durable rests on it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from livesale.store.valkey import Store

FORGET_AFTER_MS = 5_000
HUBS = "{livesale}:hubs"


class HubSeen(msgspec.Struct, frozen=True):
    """A hub: `kind` studio or edge, `control` takes WHIP, `at` is ms. `public_url` is what browsers are given; empty:
    the page's host name with the port of `url`, which is where other hubs reach it."""

    name: str
    kind: str
    url: str
    control: str
    shows: list[str]
    viewers: int
    at: int = 0
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """Reads and writes what processes tell of themselves."""

    store: Store

    async def tell(self, hubs: list[HubSeen]) -> None:
        """Say that these hubs are there now."""
        now_ms = self.store.now_ms()
        told = [(hub.name, msgspec.json.encode(msgspec.structs.replace(hub, at=now_ms))) for hub in hubs]
        await self.store.ask("HSET", HUBS, *(part for pair in told for part in pair))

    async def forget(self, names: set[str]) -> None:
        """Say that these are gone."""
        if names:
            await self.store.ask("HDEL", HUBS, *sorted(names))

    async def hubs(self) -> list[HubSeen]:
        """The hubs that told of themselves lately."""
        told = await self.store.ask("HGETALL", HUBS)
        seen = [msgspec.json.decode(value, type=HubSeen) for value in told.values()]
        return [hub for hub in seen if self.store.now_ms() - hub.at < FORGET_AFTER_MS]

    async def studio_of(self, show: str) -> HubSeen | None:
        """The studio that holds a show."""
        return next((seen for seen in await self.hubs() if seen.kind == "studio" and show in seen.shows), None)
