"""Reconciliation: what the payment provider says it moved, beside what the ledger has booked and orders say.

The comparison is pure (`compare`). What is on its way differs for a moment, so a difference counts only when it is
still there, and still the same, after the ledger and the provider have been asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.ledger.money import CAPTURED, PROVIDER, REFUNDED
from livesale.ledger.tables import money, orders, write_audit
from livesale.payments.provider import Attempt, PaymentProvider
from livesale.store.database import reading

SETTLES_S = 5.0  # the ledger is at most a second behind, the provider's webhook a little more
DAILY_SPAN_MS = 40 * DAY_MS
ENDED_UNPAID = frozenset({"expired", "cancelled", "declined", "payment_failed"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Booked:
    """What we have of one order: its state ("" when we know no such order), sums in minor units, when it began (ms)."""

    state: str
    currency: str
    captured: int = 0
    refunded: int = 0
    held_at: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """What the provider has of one order, over all its payments."""

    currency: str
    captured: int
    refunded: int
    authorised: int


def moved(attempts: Iterable[Attempt]) -> Moved:
    """The sums over an order's payments."""
    known = list(attempts)
    held = sum(one.amount for one in known if one.state == "authorised")
    currency = next((one.currency for one in known), "")
    return Moved(currency, sum(one.captured for one in known), sum(one.refunded for one in known), held)


def compare(order: str, ours: Booked | None, theirs: Moved | None) -> list[str]:
    """Each difference in words; none when both agree."""
    if theirs is None:
        if ours is None or not (ours.captured or ours.refunded):
            return []
        return [f"{order}: {ours.captured} {ours.currency} booked as captured, and the provider has no such payment"]
    if ours is None:
        ours = Booked("", theirs.currency)
    found = []
    if not ours.state and (theirs.captured or theirs.authorised):
        found.append(f"{order}: the provider has a payment of an order we do not know")
    for what, booked, told in (
        ("captured", ours.captured, theirs.captured), ("refunded", ours.refunded, theirs.refunded)
    ):  # fmt: skip
        if booked != told:
            found.append(f"{order}: {what} {told} {theirs.currency} at the provider, {booked} booked")
    if theirs.captured and ours.currency and ours.currency != theirs.currency:
        found.append(f"{order}: {theirs.currency} at the provider, {ours.currency} booked")
    if theirs.authorised and ours.state in ENDED_UNPAID:
        found.append(f"{order}: {theirs.authorised} {theirs.currency} still authorised, and the order is {ours.state}")
    return found


async def differences(engine: AsyncEngine, provider: PaymentProvider, since_ms: int = 0) -> list[str]:
    """Every difference over the payments made since then, each seen twice; Refusal when the provider is away."""
    theirs: dict[str, list[Attempt]] = {}
    async for page in provider.payments(since_ms):
        for attempt in page:
            theirs.setdefault(attempt.reference, []).append(attempt)
    ours = await _booked(engine, since_ms - DAY_MS)  # an order may have begun a little before its payment
    begun = {order for order, one in ours.items() if one.held_at >= since_ms}
    first = {
        order: found
        for order in sorted(theirs.keys() | begun)
        if (found := compare(order, ours.get(order), moved(theirs[order]) if order in theirs else None))
    }
    if not first:
        return []
    await asyncio.sleep(SETTLES_S)
    again = await _booked(engine, since_ms - DAY_MS)
    lasting: list[str] = []
    for order, found in first.items():
        told = await provider.find(order)
        if any(not one.known for one in told):
            raise Refusal("store_unavailable", "The provider could not be asked again.", retry_after_s=1)
        still = compare(order, again.get(order), moved(told) if told else None)
        lasting += [one for one in still if one in found]
    return lasting


async def main(engine: AsyncEngine, provider: PaymentProvider) -> int:
    """The command: prints each difference; 1 when there is one."""
    found = await differences(engine, provider)
    print(*found or ["no difference between the provider's payments and ours"], sep="\n")
    return 1 if found else 0


async def daily(engine: AsyncEngine, provider: PaymentProvider, now_ms: int) -> None:
    """Compare the last forty days, and put every difference into the audit."""
    for difference in await differences(engine, provider, now_ms - DAILY_SPAN_MS):
        log.error("reconciliation", difference=difference)
        async with engine.begin() as connection:
            await write_audit(connection, now_ms, "system", "payments.difference", {"what": difference})


async def _booked(engine: AsyncEngine, since_ms: int) -> dict[str, Booked]:
    """What is booked and what became of each order begun since then."""
    sums = (
        select(money.c.order_id, money.c.what, money.c.currency, func.sum(money.c.amount))
        .where(money.c.account == PROVIDER)
        .group_by(money.c.order_id, money.c.what, money.c.currency)
    )
    async with reading(engine) as connection:
        states = {
            row.id: Booked(row.state, row.currency, held_at=row.held_at)
            for row in await connection.execute(
                select(orders.c.id, orders.c.state, orders.c.currency, orders.c.held_at).where(
                    orders.c.held_at >= since_ms
                )
            )
        }
        booked: dict[str, dict[str, int]] = {}
        for order, what, _, total in await connection.execute(sums):
            booked.setdefault(order, {})[what] = int(total)
    return {
        order: replace(one, captured=has.get(CAPTURED, 0), refunded=-has.get(REFUNDED, 0))
        for order, one in states.items()
        for has in [booked.get(order, {})]
    }
