"""Shipping tables and coupons over the web process as it is shipped: who may set them, what is refused, what is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession
from sqlalchemy import event

from livesale.kernel.ids import random_name
from tests.http.conftest import Whole
from tests.http.test_endpoint import problem
from tests.http.test_fuzz import FEED

EUR = {"currency": "EUR"}
ROWS = [
    {"countries": ["DE", "AT"], "price": {"amount": 490, **EUR}, "free_from": {"amount": 5000, **EUR}},
    {"countries": ["CH"], "price": {"amount": 900, "currency": "CHF"}, "free_from": None},
]


class Desk:
    """Calls as somebody; a shop `mugs` of the host's with a live show."""

    def __init__(self, whole: Whole, session: ClientSession) -> None:
        self.whole = whole
        self.session = session
        self.show = ""
        self.offer = ""

    async def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> ClientResponse:
        headers = {"Idempotency-Key": random_name()} if method == "POST" else {}
        if who:
            headers["Authorization"] = f"Bearer {self.whole.tokens[who]}"
        return await self.session.request(method, self.whole.url(path), json=body, headers=headers, **more)

    async def did(self, who: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.call(who, method, path, body)
        assert answer.status < 300, await answer.text()
        return await answer.json()

    async def open(self) -> None:
        headers = {"Authorization": f"Bearer {self.whole.tokens['host']}"}
        await self.session.post(self.whole.url("/shops/mugs/feed"), data=FEED, headers=headers)
        (mug,) = (await self.did("host", "GET", "/products?shop=mugs"))["items"]
        self.show = (await self.did("host", "POST", "/shows", {"title": "Mugs", "shop": "mugs", "currency": "EUR"}))["id"]
        offer = {"product": mug["id"], "price": mug["price"], "quantity": 50}
        self.offer = (await self.did("host", "POST", f"/shows/{self.show}/offers", offer))["id"]
        await self.did("host", "POST", f"/shows/{self.show}/start")

    async def hold(self, quantity: int = 1, who: str = "viewer") -> dict[str, Any]:
        body = {"lines": [{"offer": self.offer, "quantity": quantity}]}
        held: dict[str, Any] = await self.did(who, "POST", f"/shows/{self.show}/orders", body)
        return held


@pytest.fixture
async def desk(whole: Whole) -> AsyncIterator[Desk]:
    async with ClientSession() as session:
        made = Desk(whole, session)
        await made.open()
        yield made


async def test_a_shipping_table_is_its_shops_own(desk: Desk) -> None:
    """Its host writes it, anyone reads it, a hold has its price, and an empty one delivers everywhere for nothing."""
    path = "/shops/mugs/shipping"
    assert await desk.did("", "GET", path) == {"rows": []}
    await problem(await desk.call("viewer", "PUT", path, {"rows": ROWS}), 403, "forbidden")
    await problem(await desk.call("host", "PUT", "/shops/other/shipping", {"rows": ROWS}), 403, "forbidden")
    assert await desk.did("host", "PUT", path, {"rows": ROWS}) == {"rows": [{**ROWS[0], "countries": ["AT", "DE"]}, ROWS[1]]}
    twice = {"rows": [ROWS[0], {"countries": ["AT"], "price": {"amount": 1, **EUR}}]}
    refused = await problem(await desk.call("host", "PUT", path, twice), 422, "invalid")
    assert refused["errors"][0]["field"] == "rows.1.countries"
    assert (await desk.hold())["total"] == {"amount": 999 + 490, **EUR}
    assert (await desk.hold(6))["shipping"] == {"amount": 0, **EUR}
    await desk.did("host", "PUT", path, {"rows": [ROWS[1]]})
    body = {"lines": [{"offer": desk.offer, "quantity": 1}]}
    answer = await desk.call("viewer", "POST", f"/shows/{desk.show}/orders", body)
    await problem(answer, 409, "no_delivery")
    await desk.did("host", "PUT", path, {"rows": []})
    assert (await desk.hold())["total"] == {"amount": 999, **EUR}


async def test_a_hold_reads_no_sql(desk: Desk) -> None:
    """However many buyers hold in a second, the shop's table is read once."""
    await desk.did("host", "PUT", "/shops/mugs/shipping", {"rows": ROWS})
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = desk.whole.wiring.database.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    for _ in range(8):
        await desk.hold()
    event.remove(engine, "before_cursor_execute", note)
    reads = [one for one in asked if one.lstrip().upper().startswith("SELECT")]
    assert len(reads) <= 2, reads  # two, should the machine have taken longer than the table is remembered


async def test_a_coupon_from_its_making_to_its_end(desk: Desk) -> None:
    """Made and listed by the host, used by a buyer whatever way it is typed, ended; nobody else sees or makes any."""
    path = "/shops/mugs/coupons"
    body = {"code": "mug-5", "amount": {"amount": 500, **EUR}, "quota": 2, "ends_at": "2099-01-01T00:00:00Z"}
    await problem(await desk.call("viewer", "POST", path, body), 403, "forbidden")
    made = await desk.did("host", "POST", path, body)
    assert (made["code"], made["left"], made["minimum"]) == ("MUG-5", 2, {"amount": 501, **EUR})
    await problem(await desk.call("host", "POST", path, body), 409, "conflict")
    await problem(await desk.call("viewer", "GET", path), 403, "forbidden")
    order = await desk.hold()
    used = await desk.did("viewer", "POST", f"/orders/{order['id']}/coupon", {"code": " mug-5"})
    assert (used["total"], used["discount"], used["coupon"]) == ({"amount": 499, **EUR}, {"amount": 500, **EUR}, "MUG-5")
    assert await desk.did("viewer", "GET", f"/orders/{order['id']}") == used
    again = await desk.call("viewer", "POST", f"/orders/{(await desk.hold())['id']}/coupon", {"code": "MUG-5"})
    refused = await problem(again, 409, "coupon_refused")
    assert (refused["errors"][0]["reason"], refused["detail"][-1]) == ("used_by_you", ".")
    other = await desk.call("host", "POST", f"/orders/{order['id']}/coupon", {"code": "MUG-5"})
    await problem(other, 404, "not_found")
    assert [one["aside"] for one in (await desk.did("host", "GET", path))["items"]] == [1]
    assert await desk.did("host", "DELETE", f"{path}/mug-5") == {"items": []}
    await problem(await desk.call("host", "DELETE", f"{path}/mug-5"), 404, "not_found")
    assert (await desk.did("viewer", "DELETE", f"/orders/{order['id']}/coupon"))["discount"]["amount"] == 0


@pytest.mark.parametrize(
    "terms",
    [
        {}, {"percent": 10, "amount": {"amount": 1, **EUR}}, {"percent": 100}, {"percent": 10, "quota": 0},
        {"percent": 10, "code": "ä!"}, {"percent": 10, "ends_at": "tomorrow"},
        {"amount": {"amount": 1, **EUR}, "minimum": {"amount": 2, "currency": "CHF"}},
    ],
)  # fmt: skip
async def test_coupons_that_make_no_sense(desk: Desk, terms: dict[str, Any]) -> None:
    """Refused by name, before anything is kept."""
    body = {"code": "ODD", "quota": 1} | terms
    await problem(await desk.call("host", "POST", "/shops/mugs/coupons", body), 422, "invalid")
    assert (await desk.did("host", "GET", "/shops/mugs/coupons"))["items"] == []
