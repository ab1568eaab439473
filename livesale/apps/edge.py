"""`livesale edge`: the same hub, fed by another hub instead of a camera."""

from __future__ import annotations

import asyncio

from livesale.apps.presence import Presence
from livesale.apps.ready import notify_ready
from livesale.apps.wiring import origin_check
from livesale.hub.edge import Edge
from livesale.hub.hub import Hub
from livesale.kernel.refusals import Refusal
from livesale.settings import Settings, bracketed
from livesale.store.readers import going_on
from livesale.store.valkey import connect

TELL_EVERY_S = 1.0


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    store = await connect(settings.store_url)
    presence = Presence(store)
    name = settings.instance or "edge"
    hub = Hub(
        name,
        settings.key("ticket.pub"),
        allowed_origins=origin_check(settings),
        clock_ms=store.now_ms,
        relay_key=settings.key("relay.key"),
    )

    async def resolve(show: str) -> str | None:
        try:
            seen = await presence.hubs()
        except Refusal:  # the store is away: the show is out of reach, not gone
            return None
        return next((hub.url for hub in seen if hub.kind == "studio" and show in hub.shows), None)

    Edge(hub, resolve, settings.key("relay.key"))
    port = await hub.start(settings.host, settings.ports.edge)
    url = f"ws://{bracketed(settings.host)}:{port}"
    notify_ready(url)
    try:
        while True:
            with going_on("telling of the hub"):
                await presence.tell_hub(name, "edge", url, "", [], hub.stats())
            await asyncio.sleep(TELL_EVERY_S)
    finally:
        await hub.stop()
        await store.close()
