"""Shipping tables and coupons over HTTP: decode, call, encode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.clock import parse_rfc3339, rfc3339
from livesale.kernel.ids import is_name, new_id, shelf
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.routing import ACCOUNT, HOST, Answer, Call, Route
from livesale.orders import coupons, shipping
from livesale.orders.claims import Coupons, Standing
from livesale.orders.coupons import MOST_QUOTA, Coupon
from livesale.orders.routes import Country, OrderView, view
from livesale.orders.service import Orders
from livesale.orders.shipping import MOST_ROWS
from livesale.orders.store import ShippingTables

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class ShippingRow(msgspec.Struct, forbid_unknown_fields=True):
    """What one order costs to be sent to any of `countries`; nothing when its goods cost `free_from` or more."""

    countries: Annotated[list[Country], msgspec.Meta(min_length=1, max_length=250)]
    price: Money
    free_from: Money | None = None


class ShippingTable(msgspec.Struct, forbid_unknown_fields=True):
    """Where a shop delivers; without rows everywhere, for nothing."""

    rows: Annotated[list[ShippingRow], msgspec.Meta(max_length=MOST_ROWS)]


class NewCoupon(msgspec.Struct, forbid_unknown_fields=True):
    """A code that takes `percent` or `amount` off orders of at least `minimum`, `quota` times in all."""

    code: Text
    quota: Annotated[int, msgspec.Meta(ge=1, le=MOST_QUOTA)]
    percent: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    amount: Money | None = None
    minimum: Money | None = None
    per_buyer_limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    starts_at: str | None = None
    ends_at: str | None = None


class CouponView(msgspec.Struct):
    """A coupon; of its `quota`, `used` are paid orders, `aside` orders that are open, `left` anybody's."""

    code: str
    percent: int | None
    amount: Money | None
    minimum: Money | None
    quota: int
    left: int
    aside: int
    used: int
    per_buyer_limit: int
    starts_at: str | None
    ends_at: str | None


class CouponPage(msgspec.Struct):
    """A shop's coupons, oldest first."""

    items: list[CouponView]


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """A coupon's code, as the buyer typed it."""

    code: Text


MaySell = Callable[[Actor, str], Awaitable[bool]]  # whether the caller sells for a shop


def routes(tables: ShippingTables, claims: Coupons, orders: Orders, may_sell: MaySell) -> list[Route]:
    """Every route about what an order costs beside its lines."""
    of_shop, of_order = _OfShop(tables, claims, may_sell), _OfOrder(claims, orders)
    return [
        Route("GET", "/shops/{shop}/shipping", of_shop.shipping, "Where a shop delivers", answer=ShippingTable),
        Route(
            "PUT", "/shops/{shop}/shipping", of_shop.set_shipping, "Set where a shop delivers", HOST, ShippingTable,
            ShippingTable,
        ),
        Route(
            "POST", "/shops/{shop}/coupons", of_shop.add_coupon, "Make a coupon", HOST, NewCoupon, CouponView, 201,
            refuses=("conflict", "limit_reached"),
        ),
        Route("GET", "/shops/{shop}/coupons", of_shop.coupons, "A shop's coupons", HOST, answer=CouponPage),
        Route(
            "DELETE", "/shops/{shop}/coupons/{code}", of_shop.end_coupon, "End a coupon", HOST, answer=CouponPage,
            refuses=("conflict",),
        ),
        Route(
            "POST", "/orders/{order}/coupon", of_order.use, "Put a coupon on an order", ACCOUNT, Code, OrderView,
            refuses=("coupon_refused", "conflict"),
        ),
        Route(
            "DELETE", "/orders/{order}/coupon", of_order.drop, "Take the coupon off", ACCOUNT, answer=OrderView,
            refuses=("conflict",),
        ),
    ]  # fmt: skip


class _OfShop:
    def __init__(self, tables: ShippingTables, claims: Coupons, may_sell: MaySell) -> None:
        self._tables = tables
        self._claims = claims
        self._may_sell = may_sell

    async def shipping(self, call: Call) -> Answer:
        return Answer(await self._table(_shop(call)))

    async def set_shipping(self, call: Call) -> Answer:
        shop, body = await self._own(call), call.body
        rows = [shipping.Row(row.countries, row.price, row.free_from) for row in body.rows]
        await self._tables.replace(shop, rows)
        return Answer(await self._table(shop))

    async def add_coupon(self, call: Call) -> Answer:
        shop = await self._own(call)
        return Answer(_coupon_view(await self._claims.make(_coupon(shop, call.body, call.act()), call.act())), 201)

    async def coupons(self, call: Call) -> Answer:
        return Answer(await self._page(await self._own(call)))

    async def end_coupon(self, call: Call) -> Answer:
        shop = await self._own(call)
        await self._claims.remove(shop, coupons.code_of(call.path["code"]))
        return Answer(await self._page(shop))

    async def _table(self, shop: str) -> ShippingTable:
        rows = await self._tables.table(shop)
        return ShippingTable([ShippingRow(row.countries, row.price, row.free_from) for row in rows])

    async def _page(self, shop: str) -> CouponPage:
        return CouponPage([_coupon_view(one) for one in await self._claims.every(shop)])

    async def _own(self, call: Call) -> str:
        shop = _shop(call)
        if not await self._may_sell(call.account(), shop):
            raise Refusal("forbidden", f"You do not run the shop {shop}.")
        return shop


class _OfOrder:
    def __init__(self, claims: Coupons, orders: Orders) -> None:
        self._claims = claims
        self._orders = orders

    async def use(self, call: Call) -> Answer:
        order, code = call.path["order"], coupons.code_of(call.body.code)
        await self._claims.apply(call.account(), order, code, call.act())
        return Answer(view(await self._orders.load(order)))

    async def drop(self, call: Call) -> Answer:
        order = call.path["order"]
        await self._claims.take_off(call.account(), order)
        return Answer(view(await self._orders.load(order)))


def _shop(call: Call) -> str:
    if not is_name(call.path["shop"]):
        raise not_found("shop")
    return call.path["shop"]


def _coupon(shop: str, body: NewCoupon, act: str) -> Coupon:
    named = {money.currency for money in (body.amount, body.minimum) if money}
    if len(named) > 1:
        raise invalid("minimum", "must be in the currency of the amount")
    return coupons.checked(
        Coupon(
            new_id("cp", shelf("shop", shop), act), shop, coupons.code_of(body.code), body.quota, body.per_buyer_limit,
            body.percent or 0, body.amount.amount if body.amount else 0, body.minimum.amount if body.minimum else 0,
            next(iter(named), ""), _moment("starts_at", body.starts_at), _moment("ends_at", body.ends_at),
        )
    )  # fmt: skip


def _moment(field: str, text: str | None) -> int | None:
    try:
        return parse_rfc3339(text) if text else None
    except ValueError as error:
        raise invalid(field, str(error)) from error


def _coupon_view(standing: Standing) -> CouponView:
    one = standing.coupon
    return CouponView(
        one.code, one.percent or None, Money(one.amount, one.currency) if one.amount else None,
        Money(one.minimum, one.currency) if one.minimum else None, one.quota, standing.left, standing.aside,
        standing.used, one.per_buyer_limit, rfc3339(one.starts_at) if one.starts_at else None,
        rfc3339(one.ends_at) if one.ends_at else None,
    )  # fmt: skip
