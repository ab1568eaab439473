"""`livesale edge`: the same hub, fed by another hub instead of a camera. It never asks the store.

It needs DATA/keys/ticket.pub and relay.key, and the address of an upstream; who may join and what time it is comes from there.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from livesale.apps.certificate import certificate_of
from livesale.apps.hubs import hub_url, public_hub_url, unnamed_here, upstreams
from livesale.apps.ready import notify_ready
from livesale.hub.edge import Edge
from livesale.hub.hub import Hub
from livesale.settings import Settings


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    relay_key = settings.key("relay.key")
    hub = Hub(settings.instance or "edge", settings.key("ticket.pub"), origins=None, relay_key=relay_key)
    edge = Edge(hub, upstreams(settings), relay_key, tls=partial(unnamed_here, settings))
    certificate = certificate_of(settings)
    try:
        port = await hub.start(settings.host, settings.ports.edge, certificate.context if certificate else None)
        url = hub_url(settings, port)
        hub.name = f"{hub.name}@{socket.gethostname()}:{port}"  # edges of other machines are called `edge` too
        await edge.announce(url, public_hub_url(settings, "edge"))
        notify_ready(url)
        await (certificate.watch() if certificate else asyncio.Event().wait())
    finally:
        await edge.retire()
        await hub.stop()
