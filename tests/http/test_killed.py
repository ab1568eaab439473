"""A web process killed between a call's effect and its answer: the same key again finds it done, once.

The kill is simulated where it hurts: the effect is in the store, the answer that is kept beside it is taken away.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from livesale.catalog.store import list_products
from livesale.guardians.family import Tie
from livesale.guardians.model import Approval
from livesale.kernel.ids import random_name, shelf
from livesale.ledger.auditing import line
from livesale.ledger.replay import Replay
from livesale.orders.transfers import Transfers
from livesale.store.database import reading
from livesale.store.decision import Committed, Decision
from livesale.store.log import read_log
from livesale.store.record import load
from tests.http.conftest import Whole
from tests.http.test_fuzz import FEED

EUR = {"amount": 900, "currency": "EUR"}
SHIP_TO = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
PAYMENT = {"method": "card", "token": "pm_ok"}


class Market:
    """A live show of the shop `demo` on the whole web process, and people who call it."""

    def __init__(self, whole: Whole, session: ClientSession) -> None:
        self.whole = whole
        self._session = session
        self.product = self.show = self.offer = ""

    async def open(self) -> None:
        """Put a show with 100 units of one offer on air."""
        await self._session.post(self.whole.url("/shops/demo/feed"), data=FEED, headers=self._headers("host"))
        listed = await self._session.get(self.whole.url("/products?shop=demo"))
        self.product = (await listed.json())["items"][0]["id"]
        self.show = (await self.call("/shows", {"title": "T", "shop": "demo", "currency": "EUR"}))["id"]
        wanted = {"product": self.product, "price": EUR, "quantity": 100}
        self.offer = (await self.call(f"/shows/{self.show}/offers", wanted))["id"]
        await self.call(f"/shows/{self.show}/start")

    async def call(self, path: str, body: Any = None, who: str = "host", key: str = "") -> Any:
        """A POST that succeeds; its answer."""
        headers = self._headers(who) | {"Idempotency-Key": key or random_name()}
        async with self._session.post(self.whole.url(path), json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status < 300, told
            return told

    async def killed(self, path: str, body: Any = None, who: str = "host") -> tuple[Any, Any]:
        """What a call answered, and what its repetition says after the process died with the answer."""
        key = random_name()
        first = await self.call(path, body, who, key)
        client = self.whole.wiring.store.client
        kept = [name async for name in client.scan_iter(match="{person:*}:once:*")]
        assert kept
        await client.delete(*kept)
        return first, await self.call(path, body, who, key)

    async def hold(self, who: str = "viewer") -> str:
        """The id of an order of one unit."""
        lines = {"lines": [{"offer": self.offer, "quantity": 1}]}
        return str((await self.call(f"/shows/{self.show}/orders", lines, who))["id"])

    async def facts(self) -> Counter[str]:
        """How often each type of event is in the show's log."""
        entries = await read_log(self.whole.wiring.store, shelf("show", self.show))
        return Counter(event["type"] for entry in entries for event in entry.fields()["events"])

    async def counter(self, on_shelf: str, name: str) -> int:
        """A counter of a shelf."""
        return (await self.whole.wiring.store.counters(on_shelf, name))[name]

    def _headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.whole.tokens[who]}"}


@pytest.fixture
async def market(whole: Whole) -> AsyncIterator[Market]:
    async with ClientSession() as session:
        made = Market(whole, session)
        await made.open()
        yield made


async def asked(market: Market, call: Callable[[str, Any, str], Awaitable[Any]] | None = None) -> dict[str, Any]:
    """A request of a minor's, made by `call`, that the account `guardian` may decide."""
    wiring = market.whole.wiring
    born = date(2011, 1, 1)
    await wiring.accounts.create_account(email="mia@example.org", name="m", country="DE", born=born)
    minor = await wiring.accounts.by_email("mia@example.org")
    guardian = await wiring.accounts.by_email("guardian@example.org")
    await wiring.guardians.families.join(minor.id, Tie("fl_1", guardian.id, wiring.store.now_ms() - 1, True), "system")
    market.whole.tokens["mia"] = await wiring.accounts.issue_token("mia@example.org", 1)
    market.whole.tokens["guardian"] = await wiring.accounts.issue_token("guardian@example.org", 1, fresh=True)
    order = await market.hold("mia")
    await (call or market.call)(f"/orders/{order}/checkout", {"ship_to": SHIP_TO, "price_total": EUR}, "mia")
    now = await wiring.orders.load(order)
    name = f"approval:{now.approval}"
    approval = load(Approval, (await wiring.store.read(now.shelf, name))[name])
    assert approval
    return {"id": approval.id, "digest": approval.digest, "state": now.state}


async def test_a_show_is_planned_once(market: Market) -> None:
    """The host finds the show the first call made, not a second draft beside it."""
    first, again = await market.killed("/shows", {"title": "Twice", "shop": "demo", "currency": "EUR"})
    assert again["id"] == first["id"]


async def test_stock_moves_once(market: Market) -> None:
    """One offer with its units; the shop gives them up once."""
    wanted = {"product": market.product, "price": EUR, "quantity": 50}
    first, again = await market.killed(f"/shows/{market.show}/offers", wanted)
    assert again == first
    assert await market.counter("shop:demo", f"free:{market.product}") == 900 - 100 - 50
    assert await market.counter(shelf("show", market.show), f"loaded:{first['id']}") == 50
    assert (await market.facts())["offer_set"] == 2


async def test_units_given_up_before_the_kill_arrive(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the shop gave the units up, before they arrived: the repetition brings the same units on."""
    wiring, key = market.whole.wiring, random_name()
    path, wanted = f"/shows/{market.show}/offers", {"product": market.product, "price": EUR, "quantity": 50}
    carry_out = wiring.store.commit

    async def killed_before_arrival(decision: Decision) -> Committed:
        if decision.shelf.startswith("show:"):
            raise asyncio.CancelledError
        return await carry_out(decision)

    monkeypatch.setattr(wiring.store, "commit", killed_before_arrival)
    with pytest.raises(ClientError):
        await market.call(path, wanted, key=key)
    monkeypatch.undo()
    assert await market.counter("shop:demo", f"free:{market.product}") == 900 - 100 - 50
    offer = (await market.call(path, wanted, key=key))["id"]
    assert await market.counter("shop:demo", f"free:{market.product}") == 900 - 100 - 50
    assert await market.counter(shelf("show", market.show), f"free:{offer}") == 50


@pytest.mark.parametrize("verb", ["pause", "end"])
async def test_a_show_moves_once(market: Market, verb: str) -> None:
    """The host is told the state the show is in, not that it cannot be."""
    first, again = await market.killed(f"/shows/{market.show}/{verb}")
    assert again["state"] == first["state"]
    assert (await market.facts())["show_changed"] == 2


async def test_a_show_starts_once(market: Market) -> None:
    """It is live for whoever repeats the start, and its broadcast began once."""
    made = await market.call("/shows", {"title": "T", "shop": "demo", "currency": "EUR"})
    first, again = await market.killed(f"/shows/{made['id']}/start")
    assert (first["state"], again["state"]) == ("live", "live")


async def test_a_deal_is_announced_once(market: Market) -> None:
    """The repetition tells of the deal that runs, not that another is on."""
    deal = {"offer": market.offer, "price": {"amount": 500, "currency": "EUR"}, "countdown_s": 60, "duration_s": 60}
    first, again = await market.killed(f"/shows/{market.show}/deals", deal)
    assert again == first
    assert (await market.facts())["deal_set"] == 1


async def test_the_rundown_goes_on_once(market: Market) -> None:
    """No part of the show is skipped."""
    parts = [{"title": name, "offers": [], "planned_s": 60} for name in "abc"]
    headers = {"Authorization": f"Bearer {market.whole.tokens['host']}"}
    path = market.whole.url(f"/shows/{market.show}/rundown")
    async with ClientSession() as session:
        assert (await session.put(path, json={"segments": parts}, headers=headers)).status == 200
    first, again = await market.killed(f"/shows/{market.show}/rundown/next")
    assert (first["current"], again["current"]) == (0, 0)


async def test_a_line_is_said_once(market: Market) -> None:
    """Nobody reads it twice."""
    first, again = await market.killed(f"/shows/{market.show}/chat", {"text": "hello"}, "viewer")
    assert again == first
    assert (await market.facts())["chat_said"] == 1


async def test_an_order_is_cancelled_once(market: Market) -> None:
    """The unit goes back once, and the order's version says so."""
    order = await market.hold()
    first, again = await market.killed(f"/orders/{order}/cancel", None, "viewer")
    assert again == first
    assert await market.counter(shelf("show", market.show), f"free:{market.offer}") == 100


async def test_a_checkout_asks_for_one_payment(market: Market) -> None:
    """The payment that was begun goes on under its own key."""
    order = await market.hold()
    wanted = {"ship_to": SHIP_TO, "price_total": EUR, "payment": PAYMENT}
    first, again = await market.killed(f"/orders/{order}/checkout", wanted, "viewer")
    assert (first["state"], again["state"]) == ("awaiting_payment", "awaiting_payment")
    assert (await market.facts())["payment_changed"] == 1


async def test_a_minors_checkout_asks_once(market: Market) -> None:
    """One request, which the repetition tells of."""
    request = await asked(market, market.killed)
    assert (await market.facts())["approval_changed"] == 1
    assert request["state"] == "awaiting_guardian"


@pytest.mark.parametrize(("verb", "state"), [("approve", "approved"), ("decline", "declined")])
async def test_a_guardian_decides_once(market: Market, verb: str, state: str) -> None:
    """Who approved is told that they did, not that the request is closed; nothing is decided twice."""
    request = await asked(market)
    body = {"digest": request["digest"], "payment": PAYMENT} if verb == "approve" else None
    first, again = await market.killed(f"/approvals/{request['id']}/{verb}", body, "guardian")
    assert (first["state"], again["state"]) == (state, state)
    assert (await market.facts())["approval_changed"] == 2


async def test_stock_is_corrected_once(market: Market) -> None:
    """Three units broke: the shop has three fewer, however often that is said; the books and the audit agree."""
    body = {"product": market.product, "delta": -3, "reason": "broken in transit"}
    first, again = await market.killed("/shops/demo/stock", body)
    assert first == again == {**body, "left": 900 - 100 - 3}
    assert await market.counter("shop:demo", f"free:{market.product}") == 797
    replay, told = Replay("shop:demo"), []
    for entry in await read_log(market.whole.wiring.store, "shop:demo"):
        replay.take(entry.seq, entry.raw)
        told += [line(event, "shop:demo", entry.seq) for event in entry.fields()["events"]]
    assert (replay.differences, replay.sums()[f"free:{market.product}"]) == ([], 797)
    host = (await market.whole.wiring.accounts.by_email("host@example.org")).id
    [corrected] = [one for one in told if one and one["actor"] == host]
    assert corrected["action"] == "stock.adjusted"
    assert "broken in transit" in corrected["data"]


@pytest.mark.parametrize(
    ("who", "shop", "delta", "reason", "status"),
    [
        ("viewer", "demo", -1, "x", 403), ("host", "nobodys", -1, "x", 404), ("host", "demo", -801, "x", 409),
        ("host", "demo", 0, "x", 422), ("host", "demo", -1, " ", 422), ("operator", "demo", -1, "found", 200),
    ],
)  # fmt: skip
async def test_who_may_correct_what(
    market: Market, who: str, shop: str, delta: int, reason: str, status: int
) -> None:
    """The shop's own host and operators, never below what is free, never without a reason."""
    headers = {"Authorization": f"Bearer {market.whole.tokens[who]}"}
    body = {"product": market.product, "delta": delta, "reason": reason}
    async with ClientSession() as session:
        async with session.post(market.whole.url(f"/shops/{shop}/stock"), json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_an_account_is_made_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the account and the answer: the repetition is told of the account, not that the address is taken."""
    accounts, key = market.whole.wiring.accounts, random_name()
    wanted = {"email": "new@example.org", "name": "N", "password": "a long password", "country": "DE"}
    make = accounts.create_account

    async def killed_after_it(**fields: Any) -> None:
        await make(**fields)
        raise asyncio.CancelledError

    monkeypatch.setattr(accounts, "create_account", killed_after_it)
    with pytest.raises(ClientError):
        await market.call("/accounts", wanted, key=key)
    monkeypatch.undo()
    told = await market.call("/accounts", wanted, key=key)
    assert told["id"] == (await accounts.by_email("new@example.org")).id
    assert await market.call("/accounts", wanted, key=key) == told


async def test_a_feed_is_imported_once_and_its_stock_arrives(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between products and stock: the repetition brings the stock, and tells what the first call did."""
    wiring, key, adjust = market.whole.wiring, random_name(), market.whole.wiring.transfers.adjust

    async def killed(*_told: Any) -> None:
        raise asyncio.CancelledError

    async def feed() -> Any:
        headers = {"Authorization": f"Bearer {market.whole.tokens['host']}", "Idempotency-Key": key}
        async with ClientSession() as session:
            async with session.post(market.whole.url("/shops/second/feed"), data=FEED, headers=headers) as answer:
                return await answer.json()

    monkeypatch.setattr(Transfers, "adjust", killed)
    with pytest.raises(ClientError):
        await feed()
    monkeypatch.undo()
    first = await feed()
    assert (first["imported"], first["updated"]) == (1, 0)
    async with reading(wiring.database) as connection:
        [product] = await list_products(connection, "second")
    assert await market.counter("shop:second", f"free:{product.id}") == 900
    await adjust("second", product.id, 700, "another import")
    assert await feed() == first
    assert await market.counter("shop:second", f"free:{product.id}") == 700
