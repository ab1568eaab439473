"""`livesale paysim`: the payment sandbox as a process of its own, with its own file."""

from __future__ import annotations

import asyncio

from livesale.apps.ready import notify_ready
from livesale.apps.web import webhook_secret
from livesale.apps.wiring import sandbox_access
from livesale.payments.paysim.app import serve
from livesale.settings import Settings


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    _, secret_key = sandbox_access(settings)
    runner = await serve(
        settings.host,
        settings.ports.paysim,
        settings.data / "paysim.db",
        secret_key,
        f"{settings.base_url}/webhooks/paysim",
        webhook_secret(settings),
    )
    notify_ready(settings.paysim_url)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
