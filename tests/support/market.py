"""A small market for tests: a live show with offers on the real store, its buyers, and a provider double with faults."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.countries import shipped
from livesale.accounts.model import Place
from livesale.catalog.model import Product
from livesale.guardians.model import Approval
from livesale.kernel.actor import Actor
from livesale.kernel.ids import new_id, random_name
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.orders.aftersale import Sale
from livesale.orders.archiving import Archiving
from livesale.orders.claims import Coupons
from livesale.orders.model import Order
from livesale.orders.news import News
from livesale.orders.offers import Offers
from livesale.orders.past_records import past_records
from livesale.orders.placing import Wish
from livesale.orders.pricing import Destination
from livesale.orders.reactions import Leftovers, OrderReactions
from livesale.orders.refunds import Wish as Refunding
from livesale.orders.requests import RequestReactions
from livesale.orders.routes import rendered
from livesale.orders.service import Checkout, Orders
from livesale.orders.settling import Settling
from livesale.orders.shipments import Parcel
from livesale.orders.shipping import Table
from livesale.orders.sold import Sold
from livesale.orders.transfers import Transfers
from livesale.orders.waiting import Waiting
from livesale.payments.disputing import DisputeReactions
from livesale.payments.provider import Attempt
from livesale.payments.reactions import PaymentReactions
from livesale.payments.refunding import RefundReactions
from livesale.shows.model import Offer, OfferList
from livesale.shows.service import Shows
from livesale.store.database import reading
from livesale.store.deadlines import Deadlines
from livesale.store.decision import Counter, Decision, Once, Put
from livesale.store.readers import Reader
from livesale.store.record import encode, load, put
from livesale.store.valkey import Records, Store, Versioned

HOST = Actor("host000000", frozenset({"host"}))
ORIGIN = "https://live.example"
OFFERED_MS = 300_000
TO = Destination("DE", shipped().rates("DE"), [])  # where holds made by hand go
SHIP_TO = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}


@dataclass
class PeopleDouble:
    """Accounts by name: `bands` says who is no adult; sealing is left out."""

    bands: dict[str, str] = field(default_factory=dict)
    wards: set[str] = field(default_factory=set)

    async def age_band(self, account: str) -> str:
        return self.bands.get(account, "adult")

    async def seal(self, account: str, text: bytes, context: str) -> bytes:
        return text

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        return sealed

    async def place_of(self, account: str) -> Place:
        return shipped().place("DE")

    async def check_may_ask(self, minor: str) -> None:
        if minor not in self.wards:
            raise Refusal("forbidden", "Nobody can be asked.")


@dataclass
class PricesDouble:
    """Countries as they are, and the one shop's shipping table, free everywhere unless a test sets one."""

    table: Table = field(default_factory=list)

    async def to(self, shop: str, country: str) -> Destination:
        return Destination(country, shipped().rates(country), self.table)


class ProviderDouble:
    """A provider that remembers by key; `script` gives faults for (act, token): a list of states said first."""

    def __init__(self) -> None:
        self.said: dict[str, Attempt] = {}
        self.captured: dict[str, int] = {}
        self.voided: set[str] = set()
        self.refunded: dict[str, int] = {}
        self.script: dict[tuple[str, str], list[str]] = {}
        self._token: dict[str, str] = {}
        self._standing: dict[str, str] = {}
        self._reference: dict[str, str] = {}

    def _fault(self, act: str, token: str) -> str | None:
        planned = self.script.get((act, token), [])
        return planned.pop(0) if planned else None

    async def authorise(self, key: str, amount: Money, method: str, reference: str, return_url: str) -> Attempt:
        fault = self._fault("authorise", method)
        if fault == "unknown":  # the call did not arrive
            return Attempt("unknown")
        if key not in self.said:
            state: Any = {"pm_declined": "failed", "pm_3ds": "requires_action"}.get(method, "authorised")
            provider_id = f"pi_{random_name()}"
            self._token[provider_id], self._standing[provider_id] = method, state
            self._reference[provider_id] = reference
            self.said[key] = Attempt(state, provider_id, "/3ds" if state == "requires_action" else None, reference=reference)
        return Attempt("unknown") if fault == "lost" else self.said[key]

    async def capture(self, key: str, provider_id: str, amount: Money) -> Attempt:
        fault = self._fault("capture", self._token[provider_id])
        if key not in self.said:
            declined = self._token[provider_id] == "pm_late_decline"
            if not declined:
                self.captured[self._reference[provider_id]] = (
                    self.captured.get(self._reference[provider_id], 0) + amount.amount
                )
            state: Any = "failed" if declined else "captured"
            self._standing[provider_id] = state
            self.said[key] = Attempt(state, provider_id, captured=amount.amount)
        return Attempt("unknown") if fault == "unknown" else self.said[key]

    async def void(self, key: str, provider_id: str) -> Attempt:
        if self._standing[provider_id] in ("authorised", "requires_action"):
            self.voided.add(provider_id)
            self._standing[provider_id] = "voided"
        return await self.lookup(provider_id)

    async def refund(self, key: str, provider_id: str, amount: Money) -> Attempt:
        reference = self._reference[provider_id]
        fault = self._fault("refund", self._token[provider_id])
        if fault == "unknown":  # the call did not arrive
            return Attempt("unknown")
        if key not in self.said:
            left = self.captured.get(reference, 0) - self.refunded.get(reference, 0)
            refused = fault == "failed" or amount.amount > left
            if not refused:
                self.refunded[reference] = self.refunded.get(reference, 0) + amount.amount
            self.said[key] = Attempt("failed" if refused else "refunded", provider_id)
        return Attempt("unknown") if fault == "lost" else self.said[key]

    async def lookup(self, provider_id: str) -> Attempt:
        state: Any = self._standing[provider_id]
        return Attempt(state, provider_id, captured=self.captured.get(self._reference[provider_id], 0))

    async def find(self, reference: str) -> list[Attempt]:
        return [await self.lookup(one) for one, ours in self._reference.items() if ours == reference]

    def arrives(self, provider_id: str, amount: int) -> None:
        """A transfer comes in, whatever became of the payment meanwhile."""
        self._standing[provider_id] = "captured"
        self.captured[self._reference[provider_id]] = amount

    def outstanding(self) -> list[str]:
        """Payments that hold a buyer's money and are neither captured nor let go of."""
        ended = self.voided | {one.provider_id for one in self.said.values() if one.state == "failed"}
        return [
            one
            for one, state in self._standing.items()
            if state == "authorised" and one not in ended and not self.captured.get(self._reference[one])
        ]

    def passed_3ds(self, provider_id: str) -> None:
        """The buyer confirmed at their bank, perhaps after the payment was voided."""
        if self._standing[provider_id] in ("requires_action", "voided", "failed"):
            self._standing[provider_id] = "authorised"
            self.voided.discard(provider_id)


class Hurried(Sold):
    """Nobody waits for a reader that runs only when told."""

    async def settled(self, order_id: str) -> Order:
        return (await self.order(order_id))[0]


async def _not_on_sale(_product: str, _currency: str, _now_ms: int) -> None:
    return None


async def _no_product(_product: str) -> None:
    """The market's offers are made without a catalogue."""


class Market:
    """A live show with offers of `stock` units, and readers running beside it."""

    def __init__(self, store: Store, provider: Any = None) -> None:
        self.store = store
        self.people = PeopleDouble()
        self.provider = provider or ProviderDouble()
        self.shows = Shows(store, _not_on_sale, self.people.seal)
        self.prices = PricesDouble()
        self.orders = Orders(store, self.people, News(store), self.prices, self.product)
        self.coupons = Coupons(store)
        self.waiting = Waiting(store, OFFERED_MS)
        self.sale = Offers(store, _no_product, Transfers(store), _not_on_sale)
        self.reactions = OrderReactions(store)
        self.requests = RequestReactions(store, Transfers(store), self.people, self.prices, self.on_sale, ORIGIN)
        self.payments = PaymentReactions(store, self.provider)
        self.refunds = RefundReactions(store, self.provider)
        self.settling = Settling(store)
        self.leftovers = Leftovers(store, Transfers(store))
        self.sold = Sold(store, self.may_sell)
        self.disputes = DisputeReactions(store, self.provider)
        self.archiving: Archiving | None = None
        self.more: tuple[Any, ...] = ()  # rooms that a test adds to the readers
        self.removed: set[str] = set()
        self.catalogue: dict[str, Product] = {}
        self.shelf = ""
        self.offers: list[str] = []

    def archives(self, database: AsyncEngine) -> Archiving:
        """Let closed orders leave for an archive in `database`."""
        self.archiving = self.store.past = Archiving(self.store, database)
        return self.archiving

    async def product(self, product: str) -> Product | None:
        """What the catalogue has."""
        return self.catalogue.get(product)

    async def open(self, *stock: int, limit: int | None = None, price: int = 1000) -> None:
        """Put a show on air with one offer for each number of units."""
        show = await self.shows.create(HOST, "Test", "demo", "EUR", None)
        self.shelf = f"show:{show.id}"
        self.offers = [new_id("of", self.shelf) for _ in stock]
        puts = [Put("offers", 0, encode(OfferList(self.offers)))]
        counters = []
        for offer, units in zip(self.offers, stock, strict=True):
            made = Offer(offer, f"p_{offer[-4:]}", "Pan", "", price, "EUR", limit)
            puts.append(Put(f"offer:{offer}", 0, encode(made)))
            counters += [Counter(f"free:{offer}", units), Counter(f"loaded:{offer}", units)]
        await self.store.commit(Decision(self.shelf, puts=tuple(puts), counters=tuple(counters)))
        await self.shows.move(HOST, show.id, "start")

    async def hold(self, buyer: str, *lines: tuple[int, int], key: str | None = None) -> Order:
        """Hold (offer number, quantity) lines for a buyer."""
        wishes = [Wish(self.offers[offer], quantity) for offer, quantity in lines]
        once = Once(f"{buyer}:place", key or random_name(), repr(lines))
        answer = await self.orders.place(self.buyer(buyer), self.shelf, wishes, None, once, rendered)
        return await self.orders.load(msgspec.json.decode(answer)["id"])

    async def reprice(self, offer: str, price: int) -> None:
        """Give an offer another price."""
        show = self.shelf.removeprefix("show:")
        await self.sale.change(HOST, show, offer, Money(price, "EUR"), None)

    def buyer(self, name: str) -> Actor:
        """The actor of a buyer."""
        return Actor(name, frozenset({"viewer"}))

    async def check_out(self, order: Order, token: str = "pm_ok") -> Order:
        """Confirm and pay (or ask the guardian)."""
        wanted = Checkout(SHIP_TO, token, order.total, order.currency)
        return await self.orders.checkout(self.buyer(order.account), order.id, wanted)

    async def approval(self, order: Order) -> Approval:
        """The request of an order."""
        name = f"approval:{(await self.orders.load(order.id)).approval}"
        found = load(Approval, (await self.store.read(self.shelf, name))[name])
        assert found
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """Readers and deadlines at work, as in the worker."""
        rooms = (
            self.payments, self.refunds, self.disputes, self.reactions, self.requests, self.settling, self.leftovers,
            self.waiting, self.coupons, *self.more,
        )  # fmt: skip
        reader = Reader(self.store, "reactions", tuple(one for room in rooms for one in room.reactions()))
        due = {"hold": self.expire, "pay": self.pay_due, "offered": self.waiting.run_out}
        due |= {"refund": self.refund_due, "complete": self.complete_due, "claim": self.coupons.finish}
        if self.archiving:
            due["archive"] = self.archiving.archive
        deadlines = Deadlines(self.store, due)
        tasks = [asyncio.create_task(reader.run()), asyncio.create_task(deadlines.run())]
        try:
            yield
        finally:
            while at_work := [task for task in tasks if not task.done()]:
                for task in at_work:  # again, for redis-py may swallow one that comes with an answer
                    task.cancel()
                await asyncio.wait(at_work, timeout=0.2)

    async def on_sale(self, product: str) -> bool:
        """Whether the catalogue still has it."""
        return product not in self.removed

    async def expire(self, _shelf: str, order_id: str) -> None:
        await self.orders.expire(order_id)

    async def pay_due(self, _shelf: str, order_id: str) -> None:
        await self.payments.go_on(order_id)

    async def refund_due(self, _shelf: str, order_id: str) -> None:
        await self.refunds.go_on(order_id)

    async def complete_due(self, _shelf: str, order_id: str) -> None:
        await self.sold.complete(order_id)

    async def may_sell(self, actor: Actor, shop: str) -> bool:
        """The one shop belongs to the one host."""
        return actor.account == HOST.account or actor.has("operator")

    async def paid(self, buyer: str, *lines: tuple[int, int]) -> Order:
        """An order that was bought and paid."""
        return await self.state(await self.check_out(await self.hold(buyer, *lines)), "paid")

    async def ship(self, order: Order, *lines: tuple[int, int], once: tuple[str, str] = ("", "")) -> Order:
        """The seller sends (offer number, quantity) lines, or everything."""
        return await self.sold.ship(HOST, order.id, Parcel(self.by_offer(lines), "Post", "1Z"), once)

    async def refund(
        self, order: Order, *lines: tuple[int, int], amount: int | None = None, restock: bool = False,
        once: tuple[str, str] = ("", ""),
    ) -> Order:  # fmt: skip
        """The seller gives money back: for lines, an amount, or everything."""
        wish = Refunding(self.by_offer(lines), amount, "EUR", restock)
        return await self.sold.refund(HOST, order.id, wish, once)

    async def withdraw(self, order: Order, *lines: tuple[int, int], by: str = "") -> Order:
        """The buyer (or `by`) withdraws, both steps."""
        actor = self.buyer(by or order.account)
        await self.sold.declare(actor, order.id, self.by_offer(lines))
        return (await self.sold.confirm(actor, order.id))[0]

    def by_offer(self, lines: tuple[tuple[int, int], ...]) -> dict[str, int] | None:
        """Lines by offer id; None when there are none."""
        return {self.offers[offer]: quantity for offer, quantity in lines} or None

    async def sold_as(self, order: Order) -> Sale:
        """The order's machines as they stand."""
        sale = (await self.sold.order(order.id))[1]
        assert sale
        return sale

    async def state(self, order: Order, *wanted: str) -> Order:
        """The order once it is in one of the wanted states."""
        async with asyncio.timeout(20):
            while (now := await self.orders.load(order.id)).state not in wanted:
                await asyncio.sleep(0.01)
        return now

    async def records(self) -> dict[str, Versioned]:
        """Every record of the show: on its shelf, and of past orders in the archive."""
        found = await self.store.records(self.shelf)
        if self.archiving is None:
            return found
        async with reading(self.archiving.database) as connection:
            rows = (await connection.execute(select(past_records.c.record))).scalars().all()
        gone = [name for name in rows if name not in found]
        past = await self.store.read(self.shelf, *gone)
        return found | {name: record for name, record in past.items() if record}

    async def age(self, name: str, kind: Any, field: str, value: Any) -> None:
        """Put something else into a field of a record, a time that is over above all."""

        def decide(records: Records, _now_ms: int) -> Decision:
            aged = msgspec.structs.replace(load(kind, records[name]), **{field: value})
            return Decision(self.shelf, puts=(put(name, records[name], aged),))

        await self.store.act(self.shelf, (name,), decide)

    async def units_in(self, where: str, offer: int = 0) -> int:
        """Units of an offer in one of their places."""
        name = f"{where}:{self.offers[offer]}"
        return (await self.store.counters(self.shelf, name))[name]

    async def check_units(self) -> None:
        """free + offered + held + paying + claimed = loaded for every offer, none below zero, and states add up."""
        counters = await self.store.counters(self.shelf)
        for offer in self.offers:
            kept = [counters.get(f"{where}:{offer}", 0) for where in ("free", "offered", "held", "paying", "claimed")]
            assert min(kept) >= 0
            assert sum(kept) == counters.get(f"loaded:{offer}", 0), counters
