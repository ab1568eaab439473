"""Commands on orders: place, check out, cancel, read. Each is one commit on the order's shelf."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from livesale.guardians import model as approvals
from livesale.guardians.model import Approval
from livesale.kernel.actor import Actor
from livesale.kernel.ids import new_id, random_name, shelf_of
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders import model
from livesale.orders.model import Order
from livesale.orders.news import News
from livesale.orders.placing import Wish, place, record_names, wait_names
from livesale.orders.pricing import Destination, priced_for
from livesale.payments import model as payments
from livesale.payments.model import Payment
from livesale.shows.model import Show
from livesale.store.decision import Conflict, Counter, Decision, Early, Mark, Once, Put, Short
from livesale.store.record import encode, load, put, version
from livesale.store.valkey import Records, Store, Versioned

NEXT_STATE_WITHIN_S = 2.0  # contract: checkout waits this long for the order's next state
ADULT = "adult"
CHECKED_OUT = {"awaiting_guardian", "paid", "payment_failed"}
MAY_REQUEST = {"7-13", "14-15", "16-17"}


class People(Protocol):
    """What orders need to know of accounts and families."""

    async def age_band(self, account: str) -> str: ...

    async def seal(self, account: str, text: bytes, context: str) -> bytes: ...

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def has_guardian(self, minor: str) -> bool: ...


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
            records = {**await self._records(on_shelf, record_names(wishes), fresh), **waits}
            show = load(Show, records["show"])
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
        if order.state in CHECKED_OUT and await self._is_repeated(order, wanted):
            return order
        if wanted.country != order.country and order.state == "held":
            order = await self._priced_for(order, wanted.country)
        _check_agreed(order, wanted)
        band = await self.people.age_band(actor.account)
        sealed = await self.people.seal(actor.account, msgspec.json.encode(wanted.ship_to), f"ship_to:{order_id}")
        if band == ADULT:
            if not wanted.token:
                raise Refusal("invalid", "A payment method is needed.", [{"field": "payment", "detail": "missing"}])
            await self._act(order, lambda records, now: _pay(records, order_id, wanted, sealed, now))
            return await self.next_state(await self.load(order_id))
        await self._request(order, band, wanted, sealed)
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

    async def _request(self, order: Order, band: str, wanted: Checkout, sealed: bytes) -> None:
        if band not in MAY_REQUEST:
            raise Refusal("forbidden", "An adult must buy this for you.")
        if any(line.age_gate is not None for line in order.lines):
            raise Refusal("forbidden", "This product is for adults only, whoever agrees.")
        if not await self.people.has_guardian(order.account):
            raise Refusal("forbidden", "Please invite your guardian first: no guardian is linked to your account.")
        loaded = await self.store.counters(order.shelf, *(f"loaded:{line.offer}" for line in order.lines))
        ceilings = {line.offer: approvals.request_ceiling(loaded[f"loaded:{line.offer}"]) for line in order.lines}
        approval_id = new_id("ap", order.shelf)
        try:
            await self._act(
                order,
                lambda records, now: _ask(records, order.id, approval_id, wanted, sealed, ceilings, now),
            )
        except Short as short:
            raise model.lack_refusal(short.lacks, order.lines) from short

    async def _act(self, order: Order, decide: Any, act: str = "") -> None:
        try:
            await self.store.act(order.shelf, _names(order.id), decide, act)
        except Short as short:
            raise model.lack_refusal(short.lacks, order.lines) from short

    async def _records(self, on_shelf: str, names: tuple[str, ...], fresh: bool) -> Records:
        missing = [name for name in names if fresh or (on_shelf, name) not in self._seen]
        if missing:
            found = await self.store.read(on_shelf, *missing)
            if len(self._seen) > 50_000:
                self._seen.clear()
            self._seen.update({(on_shelf, name): record for name, record in found.items()})
        return {name: self._seen.get((on_shelf, name)) for name in names}

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
    return (f"order:{order_id}", f"payment:{order_id}", f"approval_of:{order_id}")


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


def new_payment(order: Order, payer: str, token: str, return_url: str, now_ms: int) -> Payment:
    """A payment about to be asked for; its key is fixed before the first call to the provider."""
    return Payment(
        order.id, payer, order.total, order.currency, token, f"pay_{random_name()}", now_ms,
        now_ms + payments.PAY_WITHIN_MS, return_url=return_url,
    )  # fmt: skip


def _pay(records: Records, order_id: str, wanted: Checkout, sealed: bytes, now_ms: int) -> Decision:
    order = _reserved(records, order_id)
    _check_agreed(order, wanted)
    after = model.changed(order, state="awaiting_payment", reservation="paying", ship_to=sealed)
    payment = new_payment(order, order.account, wanted.token or "", wanted.return_url, now_ms)
    return Decision(
        order.shelf,
        counters=model.moves(order, after),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            put(f"payment:{order_id}", records[f"payment:{order_id}"], payment),
        ),
        marks=(Mark("due", f"hold:{order_id}", None), Mark("due", f"pay:{order_id}", payment.deadline)),
        events=(model.order_event(order, after), payments.payment_event(None, payment)),
    )


def request_counters(order: Order, sign: int, ceilings: dict[str, int] | None = None) -> tuple[Counter, ...]:
    """What an open request counts against: the minor's own number, one for each offer, the offer's share."""
    rows = [Counter(f"requests_of:{order.account}", sign, 0, approvals.MOST_OPEN_REQUESTS)]
    rows += [Counter(f"request:{order.account}:{offer}", sign, 0, 1) for offer in sorted({x.offer for x in order.lines})]
    for line in order.lines:
        ceiling = (ceilings or {}).get(line.offer) if line.tracked else None
        rows.append(Counter(f"requests:{line.offer}", sign * line.quantity, 0, ceiling))
    return tuple(rows)


def _ask(
    records: Records, order_id: str, approval_id: str, wanted: Checkout, sealed: bytes, ceilings: dict[str, int],
    now_ms: int,
) -> Decision:  # fmt: skip
    order = _reserved(records, order_id)
    _check_agreed(order, wanted)
    after = model.changed(
        order, state="awaiting_guardian", ship_to=sealed, approval=approval_id,
        reserved_until=now_ms + approvals.HOLD_MS,
    )  # fmt: skip
    approval = Approval(
        approval_id, order_id, order.account, digest_of(order, wanted.ship_to), order.total, order.currency,
        order.shop, now_ms, now_ms + approvals.APPROVAL_MS,
    )  # fmt: skip
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), *request_counters(order, 1, ceilings)),
        puts=(
            put(f"order:{order_id}", records[f"order:{order_id}"], after),
            Put(f"approval:{approval_id}", 0, encode(approval)),
        ),
        marks=(
            Mark("due", f"hold:{order_id}", after.reserved_until),
            Mark("due", f"approval:{approval_id}", approval.expires_at),
        ),
        events=(model.order_event(order, after), approvals.approval_event(None, approval)),
    )


def digest_of(order: Order, ship_to: dict[str, Any]) -> str:
    """The digest a guardian of this order consents to."""
    lines = [{"offer": x.offer, "quantity": x.quantity, "price": x.price} for x in order.lines]
    return approvals.digest(lines, order.total, order.currency, order.shop, ship_to)


def _cancel(records: Records, order_id: str, now_ms: int) -> Decision:
    order = _order(records, order_id)
    if order.state == "awaiting_payment":
        raise Refusal("conflict", "This order is being paid. It can be cancelled when the payment has ended.")
    after = model.changed(order, state="cancelled", reservation="released", reason="buyer")
    return ending(records, order, after)


def ending(records: Records, order: Order, after: Order) -> Decision:
    """The Decision that ends an order before it was paid: units back, request closed by its own reaction."""
    closed = request_counters(order, -1) if order.state == "awaiting_guardian" else ()
    return Decision(
        order.shelf,
        counters=(*model.moves(order, after), *closed),
        puts=(put(f"order:{order.id}", records[f"order:{order.id}"], after),),
        marks=(Mark("due", f"hold:{order.id}", None), model.leaves(after)),
        events=(model.order_event(order, after),),
    )


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
