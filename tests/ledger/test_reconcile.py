"""Reconciliation: whatever differs between the provider's payments and ours is told, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.money import Money
from livesale.ledger import reconcile
from livesale.ledger.reconcile import Booked, Moved, compare, differences
from livesale.ledger.tables import money, orders
from livesale.payments.sandbox import SandboxProvider
from tests.support.sandbox import running

PRICE = Money(700, "EUR")
NOW_MS = 1_800_000_000_000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on its way here."""
    monkeypatch.setattr(reconcile, "SETTLES_S", 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (None, None, []),
        (Booked("held", "EUR"), None, []),
        (Booked("paid", "EUR", 700), Moved("EUR", 700, 0, 0), []),
        (Booked("awaiting_payment", "EUR"), Moved("EUR", 0, 0, 700), []),
        (Booked("paid", "EUR", 700), None, ["no such payment"]),
        (None, Moved("EUR", 700, 0, 0), ["we do not know", "captured 700"]),
        (Booked("paid", "EUR", 700), Moved("EUR", 1400, 0, 0), ["captured 1400 EUR at the provider, 700 booked"]),
        (Booked("refunded", "EUR", 700, 700), Moved("EUR", 700, 300, 0), ["refunded 300 EUR at the provider, 700 booked"]),
        (Booked("expired", "EUR"), Moved("EUR", 0, 0, 700), ["still authorised, and the order is expired"]),
        (Booked("paid", "EUR", 700), Moved("USD", 700, 0, 0), ["USD at the provider, EUR booked"]),
    ],
)  # fmt: skip
def test_each_difference_is_named(ours: Booked | None, theirs: Moved | None, told: list[str]) -> None:
    """Agreement, and what is on its way, is silent; each difference says what and how much."""
    found = compare("o_1", ours, theirs)
    assert len(found) == len(told)
    assert all(words in line for words, line in zip(told, found, strict=True))


async def book(engine: AsyncEngine, order: str, state: str, captured: int) -> None:
    """An order, and its capture, as the ledger writes them."""
    async with engine.begin() as connection:
        row = {"id": order, "shelf": "show:s", "state": state, "currency": "EUR", "held_at": NOW_MS}
        await connection.execute(insert(orders), row)
        for account, amount in (("provider", captured), ("revenue:show:s", -captured)):
            entry = {"shelf": "show:s", "account": account, "amount": amount, "currency": "EUR", "what": "captured"}
            await connection.execute(insert(money), entry | {"payment": f"pay_{order}", "order_id": order})


async def pay(provider: SandboxProvider, order: str) -> None:
    made = await provider.authorise(f"{order}:a", PRICE, "pm_ok", order, "")
    assert (await provider.capture(f"{order}:c", made.provider_id, PRICE)).state == "captured"


async def test_the_books_of_both_are_compared(engine: AsyncEngine, tmp_path: Path) -> None:
    """Over several pages: what agrees is silent, what one side lacks is told with its order."""
    async with running(tmp_path / "paysim") as sandbox:
        for number in range(600):  # more than a page
            await sandbox.provider.authorise(f"o_{number}:a", PRICE, "pm_ok", f"o_{number}", "")
        await pay(sandbox.provider, "o_same")
        await book(engine, "o_same", "paid", 700)
        for number in range(600):
            await book(engine, f"o_{number}", "awaiting_payment" if number else "expired", 0)
        assert await differences(engine, sandbox.provider) == [
            "o_0: 700 EUR still authorised, and the order is expired"
        ]
        await book(engine, "o_ours", "paid", 700)
        await pay(sandbox.provider, "o_theirs")
        found = await differences(engine, sandbox.provider)
        assert [line.partition(":")[0] for line in found] == ["o_0", "o_ours", "o_theirs", "o_theirs"]
        assert [line.partition(":")[0] for line in await differences(engine, sandbox.provider, NOW_MS + 1)] == []


async def test_what_settles_meanwhile_is_no_difference(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A capture that the ledger books a moment later is not reported."""
    async with running(tmp_path / "paysim") as sandbox:
        await pay(sandbox.provider, "o_late")

        booked = reconcile._booked
        asked: list[int] = []

        async def later(engine: AsyncEngine, since_ms: int) -> dict[str, Booked]:
            if asked:
                await book(engine, "o_late", "paid", 700)
            asked.append(since_ms)
            return await booked(engine, since_ms)

        monkeypatch.setattr(reconcile, "_booked", later)
        assert await differences(engine, sandbox.provider) == []
        assert len(asked) == 2
