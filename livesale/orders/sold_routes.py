"""After the sale over HTTP: shipments, refunds, withdrawal, and a shop's paid orders. Decode, call, encode."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.ids import is_name
from livesale.kernel.money import Money
from livesale.kernel.refusals import invalid, not_found
from livesale.kernel.routing import ACCOUNT, HOST, Answer, Call, Route
from livesale.orders.aftersale import SOLD
from livesale.orders.model import MOST_LINES, Order
from livesale.orders.refunds import Wish
from livesale.orders.routes import OrderView, ShipTo, whole
from livesale.orders.shipments import Parcel
from livesale.orders.showing import UnitsView, units_view
from livesale.orders.sold import Once, Sold
from livesale.orders.withdrawal import Withdrawal
from livesale.orders.withdrawing import Receipt, receipt

Quantity = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Units(msgspec.Struct, forbid_unknown_fields=True):
    """Some units of one line."""

    offer: Annotated[str, msgspec.Meta(max_length=100)]
    quantity: Quantity


Lines = Annotated[list[Units], msgspec.Meta(min_length=1, max_length=MOST_LINES)]


class NewShipment(msgspec.Struct, forbid_unknown_fields=True):
    """What is sent; without `lines` everything that is still to be sent."""

    lines: Lines | None = None
    carrier: Annotated[str, msgspec.Meta(max_length=60)] = ""
    tracking: Annotated[str, msgspec.Meta(max_length=100)] = ""


class NewRefund(msgspec.Struct, forbid_unknown_fields=True):
    """What is given back: an amount, lines, or (neither) everything left. `restock`: the units are on sale again."""

    restock: bool
    amount: Money | None = None
    lines: Lines | None = None


class NewWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """What is withdrawn; without `lines` everything."""

    lines: Lines | None = None


class Declared(msgspec.Struct):
    """What would be withdrawn, and what would come back; it counts once it is confirmed."""

    id: str
    lines: list[UnitsView]
    amount: Money
    declared_at: str


class OrderDeclared(OrderView, kw_only=True):
    """The order as it still is."""

    withdrawal: Declared | None


class OrderConfirmed(OrderView, kw_only=True):
    """The order, and the receipt of its withdrawal."""

    receipt: Receipt | None


class SoldOrder(OrderView, kw_only=True):
    """An order as its seller reads it: with where it goes (null: its buyer's account has been erased)."""

    ship_to: ShipTo | None


class SoldPage(msgspec.Struct):
    """A shop's paid orders, newest first; `next` is the following page's `after`."""

    items: list[SoldOrder]
    next: str | None


ListSold = Callable[[str, str, int, str | None], Awaitable[tuple[list[str], str | None]]]
Address = Callable[[Order], Awaitable[ShipTo | None]]


def routes(sold: Sold, listed: ListSold, address: Address) -> list[Route]:
    """Every route after the sale.

    `listed(shop, states, limit, after)` gives order ids, newest first; `address` where an order goes to.
    """
    handlers = _Handlers(sold, listed, address)
    changes = ("conflict", "limit_reached")
    sells = (*changes, "on_hold")
    return [
        Route(
            "POST", "/orders/{order}/shipments", handlers.ship, "Note what was sent", HOST, NewShipment | None, OrderView,
            refuses=sells,
        ),
        Route(
            "POST", "/orders/{order}/refunds", handlers.refund, "Give money back", HOST, NewRefund, OrderView,
            refuses=sells,
        ),
        Route(
            "POST", "/orders/{order}/withdrawal", handlers.declare, "Withdraw from contract: what would be withdrawn",
            ACCOUNT, NewWithdrawal | None, OrderDeclared, refuses=(*changes, "expired"),
        ),
        Route(
            "POST", "/orders/{order}/withdrawal/confirm", handlers.confirm, "Confirm withdrawal: the receipt", ACCOUNT,
            answer=OrderConfirmed, refuses=(*changes, "expired"),
        ),
        Route(
            "GET", "/shops/{shop}/orders", handlers.list, "A shop's paid orders, newest first", HOST, answer=SoldPage,
            query=("state", "limit", "after"),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, sold: Sold, listed: ListSold, address: Address) -> None:
        self._sold = sold
        self._listed = listed
        self._address = address

    async def ship(self, call: Call) -> Answer:
        body: NewShipment = call.body or NewShipment()
        parcel = Parcel(_units(body.lines), body.carrier, body.tracking)
        await self._sold.ship(call.account(), call.path["order"], parcel, _once(call))
        return Answer(whole(*await self._sold.order(call.path["order"])))

    async def refund(self, call: Call) -> Answer:
        body: NewRefund = call.body
        amount, currency = (body.amount.amount, body.amount.currency) if body.amount else (None, "")
        if amount == 0:
            raise invalid("amount", "at least 1")
        wish = Wish(_units(body.lines), amount, currency, body.restock)
        await self._sold.refund(call.account(), call.path["order"], wish, _once(call))
        return Answer(whole(*await self._sold.order(call.path["order"])))

    async def declare(self, call: Call) -> Answer:
        body: NewWithdrawal = call.body or NewWithdrawal()
        order, declared = await self._sold.declare(call.account(), call.path["order"], _units(body.lines))
        return Answer(OrderDeclared(**await self._fields(order.id), withdrawal=_declared(order, declared)))

    async def confirm(self, call: Call) -> Answer:
        order, confirmed = await self._sold.confirm(call.account(), call.path["order"])
        told = receipt(order, confirmed) if confirmed else None
        return Answer(OrderConfirmed(**await self._fields(order.id), receipt=told))

    async def list(self, call: Call) -> Answer:
        shop, state = call.path["shop"], call.query.get("state")
        if not is_name(shop) or not await self._sold.may_sell(call.account(), shop):
            raise not_found("shop of yours")
        if state is not None and state not in SOLD:
            raise invalid("state", f"one of {', '.join(sorted(SOLD))}")
        ids, after = await self._listed(
            shop, state or ",".join(sorted(SOLD)), int(call.query.get("limit", "50")), call.query.get("after")
        )
        return Answer(SoldPage(await asyncio.gather(*map(self._for_seller, ids)), after))

    async def _fields(self, order_id: str) -> dict[str, Any]:
        return msgspec.structs.asdict(whole(*await self._sold.order(order_id)))

    async def _for_seller(self, order_id: str) -> SoldOrder:
        order, sale = await self._sold.order(order_id)
        return SoldOrder(**msgspec.structs.asdict(whole(order, sale)), ship_to=await self._address(order))


def _once(call: Call) -> Once:
    return (f"{call.account().account}:{call.key}", call.fingerprint) if call.key else ("", "")


def _units(lines: list[Units] | None) -> dict[str, int] | None:
    if lines is None:
        return None
    units: dict[str, int] = {}
    for line in lines:
        units[line.offer] = units.get(line.offer, 0) + line.quantity
    return units


def _declared(order: Order, declared: Withdrawal | None) -> Declared | None:
    if declared is None:
        return None
    return Declared(
        declared.id, units_view(declared.units), Money(declared.amount, order.currency), rfc3339(declared.declared_at)
    )
