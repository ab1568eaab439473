"""Commands on orders: place, check out, cancel, read. Each is one commit on the order's shelf."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from livesale.accounts.model import Band, Place
from livesale.catalog.model import Product
from livesale.guardians import model as approvals
from livesale.guardians.policy import check_may_buy, check_may_request
from livesale.kernel.actor import Actor
from livesale.kernel.ids import new_id, shelf_of
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import model
from livesale.orders.asking import ask, ending, new_payment, taken_over
from livesale.orders.goods import as_records
from livesale.orders.model import Order
from livesale.orders.news import News
from livesale.orders.placing import Wish, place, record_names, wait_names
from livesale.orders.pricing import Destination, priced_for
from livesale.payments import model as payments
from livesale.payments.model import Payment
from livesale.shows.model import Show
from livesale.store.decision import Conflict, Decision, Early, Mark, Once, Short
from livesale.store.record import load, load_shared, put, version
from livesale.store.valkey import Records, Store, Versioned

NEXT_STATE_WITHIN_S = 2.0  # contract: checkout waits this long for the order's next state
ADULT = "adult"
MOST_CHANGES = 20  # of one request, by its minor
CHECKED_OUT = {"awaiting_guardian", "paid", "payment_failed"}


class People(Protocol):
    """What orders need to know of accounts and families."""

    async def age_band(self, account: str) -> Band: ...

    async def place_of(self, account: str) -> Place: ...

    async def seal(self, account: str, text: bytes, context: str) -> bytes: ...

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def check_may_ask(self, minor: str) -> None: ...


class Prices(Protocol):
    """What orders need to know of countries and shipping; asked for every hold, so it may be two seconds old."""

    async def to(self, shop: str, country: str) -> Destination: ...


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a buyer confirms: where it goes, how it is paid, and the total the page showed."""

    ship_to: dict[str, Any]
    token: str | None
    total: int
    currency: str
    return_url: str = ""

    @property
    def country(self) -> str:
        """Where it goes."""
        return str(self.ship_to["country"])


@dataclass
class Orders:
    """The commands of the orders room."""

    store: Store
    people: People
    news: News
    prices: Prices
    product: Callable[[str], Awaitable[Product | None]]
    _seen: dict[tuple[str, str], Versioned | None] = field(default_factory=dict)

    async def place(
        self, actor: Actor, on_shelf: str, wishes: list[Wish], ref: str | None, once: Once, render: Any
    ) -> bytes:
        """Hold units; `render(order)` makes the answer kept under the key, refusals are kept there too.

        Records are taken as last seen: the commit expects their versions, so what is stale is read again. The buyer is
        taken not to be in any line, until the commit says otherwise.
        """
        waits: Records = {}
        for fresh in (False, False, True, True, True, True):
            records = await self._records(on_shelf, record_names(wishes), fresh)
            records.update(waits)
            if on_shelf.startswith("shop:"):
                records |= await self._goods(on_shelf, wishes)
            show = load_shared(Show, records["show"])
            to = await self.prices.to(show.shop if show else "", actor.country)
            try:
                order, decision = place(on_shelf, records, actor.account, wishes, ref, self.store.now_ms(), to)
            except Refusal as refusal:
                if not fresh:
                    self._forget(on_shelf, records)
                    continue
                return await self._keep_refusal(on_shelf, once, refusal)
            try:
                done = await self.store.commit(replace(decision, once=replace(once, answer=render(order))))
                return done.answer
            except Conflict as conflict:
                self._forget(on_shelf, records)
                own = wait_names(wishes, actor.account)
                if waits or not set(own).isdisjoint(conflict.records):
                    waits = await self.store.read(on_shelf, *own)
            except Short as short:
                raise model.lack_refusal(short.lacks, order.lines) from short
        raise Refusal("conflict", "The offer is being changed right now. Please try again.")

    async def load(self, order_id: str) -> Order:
        """The order by its id; not_found when there is none."""
        on_shelf = shelf_of(order_id, "o")
        if on_shelf is None:
            raise not_found("order")
        order = load(Order, (await self.store.read(on_shelf, f"order:{order_id}"))[f"order:{order_id}"])
        if order is None:
            raise not_found("order")
        return order

    async def owned(self, actor: Actor, order_id: str) -> Order:
        """The order, if it is the caller's; to anyone else it does not exist."""
        order = await self.load(order_id)
        if order.account != actor.account and not actor.has("operator"):
            raise not_found("order")
        return order

    async def checkout(self, actor: Actor, order_id: str, wanted: Checkout) -> Order:
        """Ask for payment (an adult) or for a guardian's approval (anyone younger).

        To another country than it was held for it may cost another sum: then it is priced anew, and nothing is paid.
        """
        order = await self.owned(actor, order_id)
        if order.account != actor.account:
            raise not_found("order")
        if order.state == "awaiting_payment":  # the same step again, after an answer that was lost
            return await self.next_state(order)
        band = await self.people.age_band(actor.account)
        of_age = band == ADULT and order.state == "awaiting_guardian"  # since asking: now they can buy it themselves
        if order.state in CHECKED_OUT and not of_age and await self._is_repeated(order, wanted):
            return order
        if wanted.country != order.country and order.state == "held":
            order = await self._priced_for(order, wanted.country)
        elif wanted.country != order.country and order.state == "awaiting_guardian":
            order = priced_for(order, await self.prices.to(order.shop, wanted.country))
        _check_agreed(order, wanted)
        sealed = await self.people.seal(actor.account, msgspec.json.encode(wanted.ship_to), f"ship_to:{order_id}")
        place = await self.people.place_of(actor.account)
        gates = [line.age_gate for line in order.lines]
        if band == ADULT:
            check_may_buy(place, gates)
            if not wanted.token:
                raise Refusal("invalid", "A payment method is needed.", [{"field": "payment", "detail": "missing"}])
            await self._act(order, lambda records, now: _pay(records, order_id, wanted, sealed, now))
            return await self.next_state(await self.load(order_id))
        check_may_request(band, place, gates)
        await self._request(order, place, wanted, sealed)
        return await self.load(order_id)

    async def _priced_for(self, order: Order, country: str) -> Order:
        to = await self.prices.to(order.shop, country)
        await self._act(order, lambda records, now: _reprice(records, order.id, to))
        return await self.load(order.id)

    async def _is_repeated(self, order: Order, wanted: Checkout) -> bool:
        """Whether this very checkout led to where the order is: the answer got lost with the process that had it."""
        ship_to = await self.people.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        return bool(order.total == wanted.total and ship_to == msgspec.json.encode(wanted.ship_to))

    async def cancel(self, actor: Actor, order_id: str, act: str = "") -> Order:
        """Give the units back; while a payment is under way it is cancelled at the provider first."""
        order = await self.owned(actor, order_id)
        await self._act(order, lambda records, now: _cancel(records, order_id, now), act)
        return await self.load(order_id)

    async def expire(self, order_id: str) -> None:
        """What a hold's deadline does; harmless when the order has gone on or been answered meanwhile."""
        on_shelf = shelf_of(order_id, "o")
        if on_shelf is None:
            return
        try:
            await self.store.act(on_shelf, _names(order_id), lambda records, _: _expire(records, on_shelf, order_id))
        except Early:
            return

    async def next_state(self, order: Order) -> Order:
        """The order once it has left `awaiting_payment` or needs the buyer, or as it is after two seconds."""
        with contextlib.suppress(TimeoutError):
            async with self.news.of(order.shelf, order.id) as happened, asyncio.timeout(NEXT_STATE_WITHIN_S):
                while True:
                    order = await self.load(order.id)
                    if order.state != "awaiting_payment" or await self._needs_buyer(order):
                        break
                    await happened.wait()
                    happened.clear()
        return order

    async def _needs_buyer(self, order: Order) -> bool:
        payment = await self.payment(order)
        return payment is not None and payment.state == "requires_action"

    async def payment(self, order: Order) -> Payment | None:
        """The payment of an order, if one was begun."""
        name = f"payment:{order.id}"
        return load(Payment, (await self.store.read(order.shelf, name))[name])

    async def _request(self, order: Order, place: Place, wanted: Checkout, sealed: bytes) -> None:
        await self.people.check_may_ask(order.account)
        await self._check_not_cancelled(order)
        ceilings = {line.offer: approvals.request_ceiling(await self._units(order, line.offer)) for line in order.lines}
        approval_id = new_id("ap", order.shelf)

        def decide(records: Records, now_ms: int) -> Decision:
            asked = now = _reserved(records, order.id)
            if now.state == "awaiting_guardian":  # asked again, for another address
                if now.version != order.version:
                    raise Refusal("conflict", "Your request has changed. Please look at it again.")
                asked = order
                if len(now.asked_before) >= MOST_CHANGES:
                    raise Refusal("limit_reached", "This request has been changed too often. Please take it back and ask anew.")
            _check_agreed(asked, wanted)
            return ask(records, asked, approval_id, wanted.ship_to, sealed, ceilings, now_ms, place)

        await self._act(order, decide)

    async def _check_not_cancelled(self, order: Order) -> None:
        show = load(Show, (await self.store.read(order.shelf, "show"))["show"])
        if show is not None and show.cancelled:
            raise Refusal("show_not_live", "This show was cancelled.")

    async def _act(self, order: Order, decide: Any, act: str = "") -> None:
        try:
            names = (*_names(order.id), *((f"approval:{order.approval}",) if order.approval else ()))
            await self.store.act(order.shelf, names, decide, act)
        except Short as short:
            raise model.lack_refusal(short.lacks, order.lines) from short

    async def _records(self, on_shelf: str, names: tuple[str, ...], fresh: bool) -> dict[str, Versioned | None]:
        if not fresh:
            try:
                return {name: self._seen[on_shelf, name] for name in names}
            except KeyError:
                pass  # not seen yet
        found = await self.store.read(on_shelf, *names)
        if len(self._seen) > 50_000:
            self._seen.clear()
        self._seen.update({(on_shelf, name): record for name, record in found.items()})
        return found

    async def _units(self, order: Order, offer: str) -> int:
        """Units of an offer in all: a show's were counted as they came, a shop's are what it has and has not sold."""
        places = ("loaded",) if order.shelf.startswith("show:") else ("free", "held", "paying")
        return sum((await self.store.counters(order.shelf, *(f"{place}:{offer}" for place in places))).values())

    async def _goods(self, on_shelf: str, wishes: list[Wish]) -> Records:
        products = [await self.product(wish.offer) for wish in wishes]
        return as_records(on_shelf.removeprefix("shop:"), [product for product in products if product])

    def _forget(self, on_shelf: str, records: Records) -> None:
        for name in records:
            self._seen.pop((on_shelf, name), None)

    async def _keep_refusal(self, on_shelf: str, once: Once, refusal: Refusal) -> bytes:
        """Keep a refusal under the key, unless the key has an answer already: then that one is given."""
        kept = msgspec.json.encode([refusal.code, refusal.detail, refusal.errors])
        done = await self.store.commit(Decision(on_shelf, once=replace(once, answer=b"!" + kept)))
        if not done.answer.startswith(b"!"):
            return done.answer
        raise Refusal(*msgspec.json.decode(done.answer[1:]))


def _names(order_id: str) -> tuple[str, ...]:
    return (f"order:{order_id}", f"payment:{order_id}")


def _order(records: Records, order_id: str) -> Order:
    order = load(Order, records[f"order:{order_id}"])
    if order is None:
        raise not_found("order")
    return order


def _reserved(records: Records, order_id: str) -> Order:
    order = _order(records, order_id)
    if order.state in model.REVIVED:  # by late money, not by a buyer
        raise Refusal("expired", "The reservation has ended. Please reserve again.")
    return order


def _check_agreed(order: Order, wanted: Checkout) -> None:
    """Refuse (price_changed, naming the total) what is not what the page showed, or not priced for where it goes."""
    if (wanted.total, wanted.currency, wanted.country) != (order.total, order.currency, order.country):
        total = {"field": "price_total", "amount": order.total, "currency": order.currency}
        raise Refusal("price_changed", "The total is not the one the page showed. Please look at it again.", [total])


def _reprice(records: Records, order_id: str, to: Destination) -> Decision:
    """The same lines and coupon, for another country."""
    order = _order(records, order_id)
    if order.state != "held":
        raise Refusal("expired", "The reservation has ended. Please reserve again.")
    priced = priced_for(order, to)
    changes = {name: getattr(priced, name) for name in ("lines", "country", "shipping", "total")}
    after = model.changed(order, **changes)
    return Decision(
        order.shelf,
        puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
        events=(model.order_event(order, after),),
    )


def _pay(records: Records, order_id: str, wanted: Checkout, sealed: bytes, now_ms: int) -> Decision:
    order = _reserved(records, order_id)
    _check_agreed(order, wanted)
    own = {"approval": None, "asked_before": [*order.asked_before, order.approval]} if order.approval else {}
    after = model.changed(order, state="awaiting_payment", reservation="paying", ship_to=sealed, **own)
    payment = new_payment(order, order.account, wanted.token or "", wanted.return_url, now_ms)
    decision = Decision(
        order.shelf,
        counters=model.moves(order, after),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], payment),
        ),
        marks=(Mark("due", f"hold:{order_id}", None), Mark("due", f"pay:{order_id}", payment.deadline)),
        events=(model.order_event(order, after), payments.payment_event(None, payment)),
    )
    return taken_over(records, order, decision) if order.approval else decision


def _cancel(records: Records, order_id: str, now_ms: int) -> Decision:
    order = _order(records, order_id)
    if order.state == "awaiting_payment":
        raise Refusal("conflict", "This order is being paid. It can be cancelled when the payment has ended.")
    after = model.changed(order, state="cancelled", reservation="released", reason="buyer")
    return ending(records, order, after)


def _expire(records: Records, on_shelf: str, order_id: str) -> Decision:
    order = load(Order, records[f"order:{order_id}"])
    done = Decision(on_shelf, marks=(Mark("due", f"hold:{order_id}", None),))
    if order is None or order.reservation != "held":
        return done
    if order.state == "awaiting_guardian":  # the request may outlive the hold: the units go back, the question stays
        after = model.changed(order, reservation="lapsed")
        decision = Decision(
            on_shelf,
            counters=model.moves(order, after),
            puts=(put(f"order:{order_id}", records[f"order:{order_id}"], after),),
            marks=done.marks,
            events=(model.order_event(order, after),),
        )
    else:
        decision = ending(records, order, model.changed(order, state="expired", reservation="expired"))
    return replace(decision, not_before=order.reserved_until, expect=_expected(records, order_id))


def _expected(records: Records, order_id: str) -> tuple[tuple[str, int], ...]:
    name = f"payment:{order_id}"
    return ((name, version(records[name])),)
