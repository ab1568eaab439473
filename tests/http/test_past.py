"""Past orders over HTTP: read as ever, and a webhook about one is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from livesale.apps.web import webhook_secret
from livesale.kernel.ids import shelf
from livesale.ledger.archive import Ledger
from livesale.ledger.reads import archived_seq
from livesale.payments.provider import Attempt
from livesale.payments.webhooks import SIGNATURE_HEADER, WebhookEvent, sign
from livesale.store.log import read_log
from tests.http.conftest import Whole
from tests.http.test_killed import Market


@pytest.fixture
async def market(whole: Whole) -> AsyncIterator[Market]:
    async with ClientSession() as session:
        made = Market(whole, session)
        await made.open()
        yield made


async def read(market: Market, path: str, who: str = "viewer") -> Any:
    headers = {"Authorization": f"Bearer {market.whole.tokens[who]}"}
    async with ClientSession() as session, session.get(market.whole.url(path), headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_a_past_order_reads_as_before(market: Market) -> None:
    """By its id and in its buyer's list, beside one that is still on its shelf."""
    wiring = market.whole.wiring
    past, now = await market.hold(), await market.hold()
    await market.call(f"/orders/{past}/cancel", None, "viewer")
    ledger = asyncio.create_task(Ledger(wiring.store, wiring.database, bytes(range(32))).run())
    on_shelf = shelf("show", market.show)
    while await archived_seq(wiring.database, on_shelf) < await wiring.store.seq(on_shelf):
        await asyncio.sleep(0.02)
    ledger.cancel()
    await asyncio.wait([ledger])
    before, listed = await read(market, f"/orders/{past}"), await read(market, "/orders")
    assert [one["id"] for one in listed["items"]] == [now, past]
    await wiring.archiving.archive(on_shelf, past)
    assert (await wiring.store.records(on_shelf)).keys().isdisjoint({f"order:{past}"})
    assert await read(market, f"/orders/{past}") == before
    assert await read(market, "/orders") == listed


@pytest.mark.parametrize(("kind", "state"), [("dispute.opened", "disputed"), ("intent.captured", "")])
async def test_a_webhook_says_what_to_ask_about(market: Market, kind: str, state: str) -> None:
    """A dispute's word is told from others', for only then the provider is asked about disputes."""
    wiring, order = market.whole.wiring, await market.hold()
    now = wiring.store.now_ms()
    body = msgspec.json.encode(WebhookEvent("evt_1", kind, now, Attempt("captured", "pi_1", reference=order)))
    headers = {SIGNATURE_HEADER: sign(webhook_secret(wiring.settings), body, now // 1000)}
    async with ClientSession() as session:
        address = f"http://{market.whole.host}:{market.whole.port}/webhooks/paysim"
        async with session.post(address, data=body, headers=headers) as answer:
            assert answer.status == 204
    entries = await read_log(wiring.store, shelf("show", market.show))
    told = [event for entry in entries for event in entry.fields()["events"] if event["type"] == "payment_check"]
    assert [(event["order"], event["state"]) for event in told] == [(order, state)]
