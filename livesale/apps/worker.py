"""`livesale worker`: readers and deadlines: the ledger, payments, orders' reactions, mails, what ends by the clock."""

from __future__ import annotations

import asyncio
from functools import partial

from livesale.apps.desk import tellers
from livesale.apps.families import Wards
from livesale.apps.mails import mails
from livesale.apps.ready import notify_ready
from livesale.apps.recordings import Keeper
from livesale.apps.wiring import Wiring
from livesale.catalog.pictures import Pictures
from livesale.guardians.reactions import FamilyReactions
from livesale.guardians.service import Guardians
from livesale.kernel.clock import DAY_MS
from livesale.kernel.ids import shelf_of
from livesale.ledger import reconcile
from livesale.ledger.archive import Ledger
from livesale.ledger.positions import archived
from livesale.ledger.reads import open_requests_for
from livesale.notices.postman import forget
from livesale.orders.marking import Answers
from livesale.orders.reactions import Leftovers, OrderReactions
from livesale.orders.requests import RequestReactions
from livesale.orders.service import Orders
from livesale.orders.settling import Settling
from livesale.orders.spending import Spending
from livesale.orders.transfers import Transfers
from livesale.orders.unavailable import Unavailable
from livesale.payments.disputing import DisputeReactions
from livesale.payments.reactions import PaymentReactions
from livesale.payments.refunding import RefundReactions
from livesale.settings import Settings
from livesale.shows.model import Show
from livesale.shows.service import Shows
from livesale.store import answers
from livesale.store.deadlines import Deadlines, DueHandler
from livesale.store.log import read_log
from livesale.store.readers import Reader, going_on
from livesale.store.record import load
from livesale.store.rest import Rest
from livesale.store.valkey import Store

TRIMMED_TO = 2  # entries: the ledger's last, and perhaps the one that moved the readers' cursor
READER = "reactions"  # whose cursor it is that mails, payments and orders' reactions share
RECONCILE_AFTER_S = 3600.0  # a system that is only tried out does not reconcile


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    async with Wiring(settings) as wiring:
        store = wiring.store
        transfers = Transfers(store)
        payments = PaymentReactions(store, wiring.provider)
        refunds = RefundReactions(store, wiring.provider)
        disputes = DisputeReactions(store, wiring.provider)
        orders = OrderReactions(store)
        requests = RequestReactions(
            store, transfers, wiring.people, wiring.shipping, wiring.on_sale, settings.public_url
        )
        settling = Settling(store)
        leftovers = Leftovers(store, transfers)
        notices, postman = mails(wiring) or (None, None)
        told = notices.reactions() if notices else ()
        spending = Spending(store, Wards(wiring))
        unavailable = Unavailable(store, partial(open_requests_for, wiring.database), wiring.on_sale)
        of_orders = (
            *orders.reactions(), *requests.reactions(), *settling.reactions(), *leftovers.reactions(), *wiring.waiting.reactions(),
            *wiring.coupons.reactions(), *Answers(store).reactions(), *unavailable.reactions(),
        )
        of_families = (*FamilyReactions(wiring.guardians).reactions(), *spending.reactions(), *tellers(store))
        of_payments = (*payments.reactions(), *refunds.reactions(), *disputes.reactions())
        reader = Reader(store, READER, (*of_payments, *of_orders, *of_families, *told))
        deadlines = Deadlines(store, due_handlers(wiring, payments, refunds, disputes, transfers, spending, unavailable))
        ledger = Ledger(store, wiring.database, settings.key("ledger.key"), readers=(READER,))
        private = settings.demo or settings.pictures.private_addresses
        pictures = Pictures(wiring.database, settings.data / "pictures", private=private)
        rest = Rest(store, (READER,), partial(archived, wiring.database), partial(is_over, store))
        keeper = Keeper(settings.recordings_folder, wiring.shows.load, store.now_ms, settings.recordings.keep_d)
        async with asyncio.TaskGroup() as group:
            group.create_task(keeper.run())
            group.create_task(pictures.run())
            group.create_task(_daily(wiring))
            group.create_task(ledger.run())
            group.create_task(reader.run())
            group.create_task(deadlines.run())
            group.create_task(rest.run())
            if postman:
                group.create_task(postman.run())
            notify_ready()


async def is_over(store: Store, shelf: str) -> bool:
    """Whether the shelf is a show's that has ended, or a person's, and its log has been trimmed: a shelf at rest is not."""
    if shelf.startswith("person:"):
        return len(await read_log(store, shelf, most=TRIMMED_TO + 1)) <= TRIMMED_TO
    show = load(Show, (await store.read(shelf, "show"))["show"]) if shelf.startswith("show:") else None
    return show is not None and show.state == "ended" and len(await read_log(store, shelf, most=TRIMMED_TO + 1)) <= TRIMMED_TO


async def _daily(wiring: Wiring) -> None:
    """Forget old answers and compare with the provider, once a day from the first hour on; copies of the worker do it
    twice, harmlessly.
    """
    await asyncio.sleep(RECONCILE_AFTER_S)
    while True:
        with going_on("forgetting answers"):
            async with wiring.database.begin() as connection:
                await answers.forget(connection, wiring.store.now_ms())
        with going_on("reconciling"):
            await reconcile.daily(wiring.database, wiring.provider, wiring.store.now_ms())
        await asyncio.sleep(DAY_MS / 1000)


def due_handlers(
    wiring: Wiring,
    payments: PaymentReactions,
    refunds: RefundReactions,
    disputes: DisputeReactions,
    transfers: Transfers,
    spending: Spending,
    unavailable: Unavailable,
) -> dict[str, DueHandler]:
    """What each kind of mark does when its time has come."""
    orders: Orders = wiring.orders
    guardians: Guardians = wiring.guardians
    shows: Shows = wiring.shows

    async def hold(_shelf: str, order_id: str) -> None:
        await orders.expire(order_id)

    async def pay(_shelf: str, order_id: str) -> None:
        await payments.go_on(order_id)

    async def refund(_shelf: str, order_id: str) -> None:
        await refunds.go_on(order_id)

    async def dispute(_shelf: str, order_id: str) -> None:
        await disputes.go_on(order_id)

    async def complete(_shelf: str, order_id: str) -> None:
        await wiring.sold.complete(order_id)

    async def mail(shelf: str, mail_id: str) -> None:
        await forget(wiring.store, READER, shelf, mail_id)

    async def approval(_shelf: str, approval_id: str) -> None:
        await guardians.run_out(approval_id)

    async def sweep(_shelf: str, minor: str) -> None:
        await guardians.sweep(minor)

    async def deal(shelf: str, deal_id: str) -> None:
        if shelf_of(deal_id, "d") == shelf:
            await shows.end_deal(shelf, deal_id)

    return {
        "hold": hold, "pay": pay, "refund": refund, "dispute": dispute, "complete": complete, "approval": approval,
        "deal": deal, "transfer": transfers.finish, "claim": wiring.coupons.finish, "offered": wiring.waiting.run_out,
        "archive": wiring.archiving.archive, "mail": mail, "link": guardians.families.end, "sweep": sweep,
        "spend": spending.finish, "withdrawn": unavailable.look_again,
    }  # fmt: skip
