"""Orders and offers over HTTP: decode, call, encode."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.ids import is_name, shelf, shelf_of
from livesale.kernel.money import Money, VatShare
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.routing import ACCOUNT, HOST, Answer, Call, Route
from livesale.orders.aftersale import SOLD, Sale
from livesale.orders.model import MOST_LINES, Order
from livesale.orders.offers import Offers
from livesale.orders.placing import Wish
from livesale.orders.pricing import shares
from livesale.orders.service import Checkout, Orders
from livesale.orders.showing import RefundView, ShipmentView, UnitsView, WithdrawalView, after_view
from livesale.orders.sold import Sold
from livesale.orders.waiting import Standing, State, Waiting
from livesale.shows.views import OfferView
from livesale.store.decision import KeyReused, Once

Quantity = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class WishedLine(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an order to be placed; `price` is what the page showed for one unit."""

    offer: Annotated[str, msgspec.Meta(max_length=100)]
    quantity: Quantity
    price: Money | None = None


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Units to be held; `ref` says what led here."""

    lines: Annotated[list[WishedLine], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    ref: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ShipTo(msgspec.Struct, forbid_unknown_fields=True):
    """Where it goes."""

    name: Short
    street: Short
    postal_code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    city: Short
    country: Country


class PayBy(msgspec.Struct, forbid_unknown_fields=True):
    """How it is paid: a token of the payment provider, never a card number."""

    method: Literal["card"]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CheckoutBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a buyer confirms."""

    ship_to: ShipTo
    price_total: Money
    payment: PayBy | None = None


class NewOffer(msgspec.Struct, forbid_unknown_fields=True):
    """A product to be put on sale in a show."""

    product: str
    price: Money
    quantity: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    per_buyer_limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None


class OfferChange(msgspec.Struct, forbid_unknown_fields=True):
    """Another price, or more (or, negative, fewer) units."""

    price: Money | None = None
    add_quantity: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] | None = None


class OrderLine(msgspec.Struct):
    """A line as it was bought; `price` is one unit's."""

    offer: str
    product: str
    title: str
    image: str
    quantity: int
    price: Money


class NextStep(msgspec.Struct):
    """What the buyer has to do next: go to their bank's page (3-D Secure)."""

    redirect_url: str


class OrderView(msgspec.Struct):
    """An order as it reads everywhere; `reason` says why it ended, where it did. Lists tell `updated_at`.

    `total` is the lines less `discount` plus `shipping`; `vat` says how it is taxed where it goes, its nets and amounts sum
    to the total (empty: the rates there are not known).

    From `refunded` on: only once it has been paid. `withdrawal_until` is null while goods are still to come.
    """

    id: str
    state: str
    lines: list[OrderLine]
    total: Money
    reserved_until: str
    version: int
    shop: str
    held_at: str
    reason: str
    shipping: Money
    discount: Money
    coupon: str | None
    vat: list[VatShare]
    next: NextStep | msgspec.UnsetType = msgspec.UNSET
    updated_at: str | msgspec.UnsetType | None = msgspec.UNSET
    refunded: Money | msgspec.UnsetType = msgspec.UNSET
    refunds: list[RefundView] | msgspec.UnsetType = msgspec.UNSET
    shipments: list[ShipmentView] | msgspec.UnsetType = msgspec.UNSET
    to_send: list[UnitsView] | msgspec.UnsetType = msgspec.UNSET
    withdrawals: list[WithdrawalView] | msgspec.UnsetType = msgspec.UNSET
    withdrawal_until: str | msgspec.UnsetType | None = msgspec.UNSET


class OrderPage(msgspec.Struct):
    """Your orders, newest first; `next` is the following page's `after`."""

    items: list[OrderView]
    next: str | None


class JoinLine(msgspec.Struct, forbid_unknown_fields=True):
    """How many units one waits for: 1 unless it says so."""

    quantity: Quantity = 1


class InLine(msgspec.Struct):
    """Where one is: `waiting` at `place` (from 1), `offered` units until a time, or `none`. `waiting`: all who wait."""

    offer: str
    state: State
    quantity: int
    place: int | None
    waiting: int
    until: str | None


def view(order: Order, redirect_url: str = "") -> OrderView:
    """An order as it reads everywhere (contract section 2)."""
    lines = [
        OrderLine(line.offer, line.product, line.title, line.image, line.quantity, Money(line.price, order.currency))
        for line in order.lines
    ]
    return OrderView(
        order.id, order.state, lines, Money(order.total, order.currency), rfc3339(order.reserved_until),
        order.version, order.shop, rfc3339(order.held_at), order.reason,
        Money(order.shipping, order.currency), Money(order.discount(), order.currency),
        order.coupon.code if order.coupon else None, shares(order),
        NextStep(redirect_url) if redirect_url else msgspec.UNSET,
    )  # fmt: skip


def whole(order: Order, sale: Sale | None) -> OrderView:
    """The same with all that happened after the sale."""
    return msgspec.structs.replace(view(order), **after_view(order, sale))


def rendered(order: Order) -> bytes:
    """The answer to placing an order, as kept under its idempotency key."""
    return msgspec.json.encode(view(order))


# (account, limit, after) -> {items: [{id, version, updated_at}], next}, as last projected
ListOrders = Callable[[str, int, str | None], Awaitable[dict[str, Any]]]


def routes(orders: Orders, offers: Offers, waiting: Waiting, listed: ListOrders, sold: Sold) -> list[Route]:
    """Every route of the orders room; `listed` gives an account's orders, newest first."""
    handlers = _Handlers(orders, offers, listed, sold)
    line = _Lines(waiting)
    in_line = partial(Route, path="/offers/{offer}/waitlist", who=ACCOUNT, answer=InLine)
    placed = partial(
        Route, who=ACCOUNT, body=NewOrder, answer=OrderView, status=201, atomic=True, key_required=True,
        refuses=("sold_out", "limit_reached", "price_changed", "show_not_live", "conflict", "no_delivery"),
    )  # fmt: skip
    return [
        placed("POST", "/shows/{show}/orders", handlers.place, "Hold units for ten minutes"),
        placed("POST", "/shops/{shop}/orders", handlers.place, "Hold units of a shop's products; `offer` is the product's id"),
        Route(
            "POST", "/orders/{order}/checkout", handlers.checkout, "Confirm and pay", ACCOUNT, CheckoutBody, OrderView,
            refuses=("conflict", "expired", "price_changed", "limit_reached", "no_delivery"),
        ),
        Route(
            "POST", "/orders/{order}/cancel", handlers.cancel, "Give the units back", ACCOUNT, answer=OrderView,
            refuses=("conflict",),
        ),
        Route("GET", "/orders/{order}", handlers.get, "An order", ACCOUNT, answer=OrderView),
        Route(
            "GET", "/orders", handlers.list, "Your orders, newest first", ACCOUNT, answer=OrderPage,
            query=("limit", "after"),
        ),
        Route(
            "POST", "/shows/{show}/offers", handlers.add_offer, "Put a product on sale", HOST, NewOffer, OfferView, 201,
            refuses=("short", "limit_reached", "show_not_live", "conflict"),
        ),
        Route(
            "PATCH", "/shows/{show}/offers/{offer}", handlers.change_offer, "Change an offer", HOST, OfferChange,
            OfferView, refuses=("short", "show_not_live", "conflict"),
        ),
        in_line(
            "POST", handler=line.join, summary="Wait for a sold-out offer", body=JoinLine | None, status=201,
            refuses=("conflict", "limit_reached", "show_not_live"),
        ),
        in_line("GET", handler=line.get, summary="Your place in the line of an offer"),
        in_line(
            "DELETE", handler=line.leave, summary="Leave the line, or decline the units offered", refuses=("conflict",)
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, orders: Orders, offers: Offers, listed: ListOrders, sold: Sold) -> None:
        self._orders = orders
        self._offers = offers
        self._listed = listed
        self._sold = sold

    async def place(self, call: Call) -> Answer:
        actor = call.account()
        kind = "show" if "show" in call.path else "shop"
        try:
            on_shelf = shelf(kind, call.path[kind])
        except ValueError:
            raise not_found(kind) from None
        wishes = [
            Wish(line.offer, line.quantity, line.price.amount if line.price else None) for line in call.body.lines
        ]
        for place, wish in enumerate(wishes):
            if shelf_of(wish.offer, "of" if kind == "show" else "p") != on_shelf:
                raise Refusal("not_found", f"There is no such offer in this {kind}.", [{"line": place}])
        once = Once(f"{actor.account}:place", call.key or "", call.fingerprint)
        try:
            answer = await self._orders.place(actor, on_shelf, wishes, call.body.ref, once, rendered)
        except KeyReused as reused:
            raise Refusal("idempotency_key_reused", "This Idempotency-Key was used for another request.") from reused
        return Answer(answer, 201)

    async def checkout(self, call: Call) -> Answer:
        body: CheckoutBody = call.body
        wanted = Checkout(
            msgspec.to_builtins(body.ship_to), body.payment.token if body.payment else None,
            body.price_total.amount, body.price_total.currency,
            return_url=f"{'https' if call.secure else 'http'}://{call.host}/orders",
        )  # fmt: skip
        order = await self._orders.checkout(call.account(), call.path["order"], wanted)
        return Answer(await self._with_next(order))

    async def cancel(self, call: Call) -> Answer:
        return Answer(view(await self._orders.cancel(call.account(), call.path["order"], call.act())))

    async def get(self, call: Call) -> Answer:
        return Answer(await self._with_next(await self._orders.owned(call.account(), call.path["order"])))

    async def list(self, call: Call) -> Answer:
        limit = call.query.get("limit", "50")
        if not limit.isdecimal() or not 1 <= int(limit) <= 200:
            raise invalid("limit", "a whole number from 1 to 200")
        page = await self._listed(call.account().account, int(limit), call.query.get("after"))
        return Answer(OrderPage(await asyncio.gather(*map(self._as_now, page["items"])), page["next"]))

    async def _as_now(self, row: dict[str, Any]) -> OrderView:
        """A listed order as its shelf has it; when it came there is known once the list has caught up."""
        order = await self._orders.load(row["id"])
        shown = await self._with_next(order)
        if row["state"] == order.state:
            shown.updated_at = row["updated_at"]
        return shown

    async def add_offer(self, call: Call) -> Answer:
        body: NewOffer = call.body
        if not is_name(call.path["show"]):
            raise not_found("show")
        offer = await self._offers.add(
            call.account(), call.path["show"], body.product, body.price.amount, body.price.currency,
            body.quantity, body.per_buyer_limit, call.act(),
        )  # fmt: skip
        return Answer(await self._shown(call.path["show"], offer.id), 201)

    async def change_offer(self, call: Call) -> Answer:
        body: OfferChange = call.body
        show, offer = call.path["show"], call.path["offer"]
        if not is_name(show):
            raise not_found("show")
        await self._offers.change(call.account(), show, offer, body.price, body.add_quantity)
        return Answer(await self._shown(show, offer))

    async def _shown(self, show: str, offer: str) -> OfferView:
        return msgspec.convert(await self._offers.shown(show, offer), OfferView)

    async def _with_next(self, order: Order) -> OrderView:
        """The order with what comes next: the address of the buyer's bank (a guardian's is no business of a minor's), or all
        that happened after the sale.
        """
        if order.state in SOLD:
            now, sale = await self._sold.order(order.id)
            return whole(now, sale)
        payment = await self._orders.payment(order) if order.state == "awaiting_payment" else None
        waiting = payment is not None and payment.state == "requires_action" and not payment.approval
        return view(order, payment.redirect_url if payment and waiting else "")


class _Lines:
    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def join(self, call: Call) -> Answer:
        wanted: JoinLine = call.body or JoinLine()
        return _in_line(await self._waiting.join(call.account(), call.path["offer"], wanted.quantity))

    async def get(self, call: Call) -> Answer:
        return _in_line(await self._waiting.standing(call.account(), call.path["offer"]))

    async def leave(self, call: Call) -> Answer:
        return _in_line(await self._waiting.leave(call.account(), call.path["offer"]))


def _in_line(standing: Standing) -> Answer:
    return Answer(
        InLine(
            standing.offer, standing.state, standing.quantity, standing.place, standing.waiting,
            rfc3339(standing.until) if standing.until else None,
        )
    )  # fmt: skip
