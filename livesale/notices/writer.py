"""Writer: opens what a mail tells (names, addresses, the order) for the one moment it is written; keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address

import msgspec

from livesale.guardians.model import Approval
from livesale.kernel.refusals import not_found
from livesale.notices.letters import Facts, letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.people import People
from livesale.orders.model import Order
from livesale.store.record import load
from livesale.store.valkey import Store


@dataclass(frozen=True, slots=True)
class Writer:
    """`origin` is where links lead, `sender` the address in From."""

    store: Store
    people: People
    origin: str
    sender: Address

    async def write(self, shelf: str, mail: Mail) -> tuple[Address, bytes]:
        """The address and the message. Refusal not_found or SealBroken when somebody in it has been erased,
        Unmailable when the address is none.
        """
        order, approval = await self._records(shelf, mail.event["order"])
        accounts = (mail.to, order.account, mail.event.get("by", order.account))
        reader, buyer, by = [await self.people.contact(account) for account in accounts]
        facts = Facts(
            mail.kind, mail.event, order, mail.created, reader.country, mail.to == order.account, reader.name, buyer.name, by.name,
            await self.people.seller(order.shop), await self._ship_to(order), approval.expires_at if approval else 0,
            self.origin,
        )  # fmt: skip
        to = address(reader.email)
        return to, message(letter(facts), mail, order.id, to, self.sender)

    async def _records(self, shelf: str, order_id: str) -> tuple[Order, Approval | None]:
        order = load(Order, (await self.store.read(shelf, f"order:{order_id}"))[f"order:{order_id}"])
        if order is None:
            raise not_found("order")
        name = f"approval:{order.approval}"
        return order, load(Approval, (await self.store.read(shelf, name))[name]) if order.approval else None

    async def _ship_to(self, order: Order) -> dict[str, str]:
        if not order.ship_to:
            return {}
        sealed = await self.people.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        return msgspec.json.decode(sealed, type=dict[str, str])
