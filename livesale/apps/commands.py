"""The commands that do one thing and end: they use the same services as the running system, beside it."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import aiohttp

from livesale.apps.feeds import import_feed
from livesale.apps.wiring import Wiring
from livesale.catalog.feed import MAX_FEED_BYTES
from livesale.guardians.family import Tie
from livesale.guardians.store import new_link_id
from livesale.kernel.refusals import Refusal
from livesale.ledger import reconcile as reconciling
from livesale.settings import Settings


async def user_age(settings: Settings, *, email: str, born: date) -> str:
    """Note an age an operator has checked; returns the account's band."""
    async with Wiring(settings) as wiring:
        account = await wiring.checks.note(await wiring.accounts.by_email(email), born)
        return account.band(wiring.store.now_ms())


async def guardian_link(settings: Settings, minor_email: str, guardian_email: str) -> str:
    """Link a guardian whom an operator has checked to a minor; audited."""
    async with Wiring(settings) as wiring:
        minor = await wiring.accounts.by_email(minor_email)
        guardian = await wiring.accounts.by_email(guardian_email)
        if minor.id == guardian.id:
            raise Refusal("invalid", "Nobody is their own guardian.")
        tie = Tie(new_link_id(), guardian.id, wiring.store.now_ms(), verified=True)
        made = await wiring.guardians.families.join(minor.id, tie, "system")
    return f"linked {guardian_email} to {minor_email}: {made.id}"


async def reconcile(settings: Settings) -> int:
    """Compare the provider's records with ours; gives the exit code."""
    async with Wiring(settings) as wiring:
        return await reconciling.main(wiring.database, wiring.provider)


async def feed_import(settings: Settings, *, source: str, shop: str, owner: str | None) -> int:
    """Import a feed; prints the report and gives the exit code."""
    data = await _fetched(source)
    async with Wiring(settings) as wiring:
        account = (await wiring.accounts.by_email(owner)).id if owner else None
        report = await import_feed(wiring, shop, data, account)
    print(f"imported {report.imported}, updated {report.updated}, removed {report.removed}, rejected {len(report.rejected)}")
    for row in report.rejected:
        print(f"line {row.line}: {row.field}: {row.reason}")
    return 1 if report.imported + report.updated == 0 else 0


async def _fetched(source: str) -> bytes:
    """The feed's bytes, from a file or by HTTP; refused in one line when it cannot be had."""
    if source.startswith(("http://", "https://")):
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
                async with session.get(source, allow_redirects=True, max_redirects=5) as answer:
                    answer.raise_for_status()
                    return await answer.content.read(MAX_FEED_BYTES + 1)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Refusal("invalid", f"{source} cannot be fetched: {error}") from error
    try:
        return await asyncio.to_thread(Path(source).read_bytes)
    except OSError as error:
        raise Refusal("invalid", f"{source} cannot be read: {error.strerror}") from error
