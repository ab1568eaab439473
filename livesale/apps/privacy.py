"""Privacy: gathers one's data from every room, and carries out an erasure in the one order that leaves nothing half done.

An erasure is refused as a whole while somebody still needs the person (an order to be sent, a ward, a shop). Otherwise
what is open is taken back first, each by its own command, then the key is destroyed; repeated after a crash it goes on.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from livesale.accounts.erasure import Erasing
from livesale.accounts.model import Account
from livesale.accounts.privacy_routes import (
    Export,
    ExportedAccess,
    ExportedAccount,
    ExportedAct,
    ExportedConsent,
    ExportedLine,
    ExportedLink,
    ExportedOrder,
    ExportedPush,
    ExportedRequest,
)
from livesale.accounts.signins import check_fresh
from livesale.accounts.store import acts_on
from livesale.apps.wiring import Wiring
from livesale.catalog.shops import shops_of
from livesale.kernel.actor import Actor
from livesale.kernel.clock import rfc3339
from livesale.kernel.refusals import Refusal
from livesale.ledger import reads
from livesale.ledger.lines import lines_of
from livesale.orders.aftersale import SOLD
from livesale.orders.model import Order
from livesale.orders.routes import view, whole
from livesale.shows.service import chat_seal
from livesale.store.database import reading

PAGE = 200
TAKEN_BACK = ("held", "awaiting_guardian")
STILL_NEEDED = ("awaiting_payment", "paid")  # being paid, or still to be sent to the address
ON_AIR = ("live", "paused")
KEPT = ["orders, payments and refunds, without name and address: § 257 HGB, § 147 AO", "what was consented to, and when"]

Receipt = Callable[[Account], Awaitable[None]]  # mails that it is done


class Privacy:
    """Exports and erases. `receipt` None: this machine sends no mails."""

    def __init__(self, wiring: Wiring, receipt: Receipt | None) -> None:
        self._wiring = wiring
        self._receipt = receipt
        self._erasing = Erasing(wiring.database, wiring.accounts.revocations, wiring.store.now_ms)

    async def export(self, actor: Actor) -> Export:
        """Everything personal there is of the account."""
        now_ms = self._wiring.store.now_ms()
        check_fresh(actor, now_ms)
        account = await self._wiring.accounts.me(actor.account)
        links = await self._wiring.guardians.links_of(account.id)
        async with reading(self._wiring.database) as db:
            acts = await acts_on(db, account.id)
        return Export(
            rfc3339(now_ms), _account(account, now_ms), await self._access(account.id),
            [
                ExportedPush(one.device, one.endpoint, rfc3339(one.created_ms))
                for one in await self._wiring.pushes.of(account.id)
            ],
            [await self._exported(order) async for order in self._orders(account.id)],
            await self._requests(account.id, {link.minor for link in links}),
            [ExportedLink(link.id, link.minor, link.guardian, link.verified) for link in links],
            [
                ExportedConsent(one["purpose"], one["granted"], one["version"], rfc3339(one["at_ms"]), one["how"], one["by"])
                for one in await self._wiring.consents.receipts(account.id)
            ],
            await self._lines(account.id),
            [ExportedAct(rfc3339(row["at_ms"]), row["action"], row["actor"]) for row in acts],
        )  # fmt: skip

    async def erase(self, actor: Actor) -> list[str]:
        """Take back what is open, forget the person, and tell them so; gives what is kept."""
        check_fresh(actor, self._wiring.store.now_ms())
        account = await self._wiring.accounts.me(actor.account)
        orders = [order async for order in self._orders(account.id)]
        await self._check_not_needed(account.id, orders)
        for order in orders:
            if order.state in TAKEN_BACK:
                await self._wiring.orders.cancel(actor, order.id)
        await self._take_back_lines(account.id)
        await self._erasing.erase(account.id)
        if self._receipt:
            await self._receipt(account)
        return KEPT

    async def _check_not_needed(self, account: str, orders: list[Order]) -> None:
        errors: list[dict[str, Any]] = [{"order": one.id, "state": one.state} for one in orders if one.state in STILL_NEEDED]
        if errors:
            raise Refusal("conflict", "An order of yours is being paid, or still to be sent. Please wait for it.", errors)
        async with reading(self._wiring.database) as db:
            errors = [{"shop": shop} for shop in await shops_of(db, account)]
        if errors:
            raise Refusal("conflict", "You run a shop. Its operator has to give it to somebody else first.", errors)
        links = await self._wiring.guardians.links_of(account)
        errors = [{"link": link.id} for link in links if link.guardian == account]
        if errors:
            raise Refusal("conflict", "You are somebody's guardian. Please end that first.", errors)

    async def _orders(self, account: str) -> AsyncIterator[Order]:
        after = None
        while True:
            page = await reads.list_orders(self._wiring.database, account, PAGE, after)
            for item in page["items"]:
                yield await self._wiring.orders.load(item["id"])
            if (after := page["next"]) is None:
                return

    async def _exported(self, order: Order) -> ExportedOrder:
        people = self._wiring.people
        sealed = order.ship_to
        ship_to = await people.unseal(order.account, sealed, f"ship_to:{order.id}") if sealed else None
        shown = whole(*await self._wiring.sold.order(order.id)) if order.state in SOLD else view(order)
        return ExportedOrder(shown, msgspec.json.decode(ship_to) if ship_to else None)

    async def _lines(self, account: str) -> list[ExportedLine]:
        unseal = self._wiring.people.unseal
        return [
            ExportedLine(one.show, rfc3339(one.at_ms), (await unseal(account, b64decode(one.sealed), chat_seal(one.id))).decode())
            for one in await lines_of(self._wiring.database, account)
        ]

    async def _take_back_lines(self, account: str) -> None:
        """From shows that go on; of those that are over nothing can be opened once the key is gone."""
        going_on: dict[str, list[str]] = {}
        for line in await lines_of(self._wiring.database, account):
            if line.state in ON_AIR:
                going_on.setdefault(line.show, []).append(line.id)
        for show, messages in going_on.items():
            for start in range(0, len(messages), PAGE):
                await self._wiring.shows.take_back(show, messages[start : start + PAGE])

    async def _access(self, account: str) -> list[ExportedAccess]:
        sign_ins = await self._wiring.accounts.sign_ins.of(account)
        passkeys = await self._wiring.passkeys.of(account)
        return [
            *(
                ExportedAccess(one.kind, one.sid, one.name or one.device, rfc3339(one.created_ms), rfc3339(one.expires_ms))
                for one in sign_ins
            ),
            *(ExportedAccess("passkey", one.id, one.name, rfc3339(one.created_ms), None) for one in passkeys),
        ]

    async def _requests(self, account: str, minors: set[str]) -> list[ExportedRequest]:
        found: list[ExportedRequest] = []
        after = None
        while True:
            page = await reads.list_approvals(self._wiring.database, minors | {account}, None, PAGE, after)
            found += [
                msgspec.convert(item, ExportedRequest)
                for item in page["items"]
                if account in (item["minor"], item["guardian"])
            ]
            if (after := page["next"]) is None:
                return found


def _account(account: Account, now_ms: int) -> ExportedAccount:
    age = account.age
    return ExportedAccount(
        account.id, account.email, account.name, account.country, account.region, sorted(account.roles),
        rfc3339(account.created_ms), account.band(now_ms), age.ends_month, age.method, age.issuer,
    )  # fmt: skip
