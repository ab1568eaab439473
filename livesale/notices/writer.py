"""Writer: opens what a mail tells (names, addresses, the order) for the one moment it is written; keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address

import msgspec

from livesale.guardians.events import FAMILY_FROZEN, LINK_CHANGED
from livesale.guardians.model import Approval
from livesale.kernel.events import Event
from livesale.kernel.refusals import not_found
from livesale.notices.family import family_letter
from livesale.notices.letters import Facts, letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.people import People
from livesale.orders.events import WAITLIST_CHANGED
from livesale.orders.model import Line, Order
from livesale.shows.model import Offer, Show
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
        if mail.event["type"] in (LINK_CHANGED, FAMILY_FROZEN):
            return await self._of_family(mail)
        order, expires_at = await self._about(shelf, mail.event)
        accounts = (mail.to, order.account, mail.event.get("by") or order.account)
        reader, buyer, by = [await self.people.contact(account) for account in accounts]
        facts = Facts(
            mail.kind, mail.event, order, mail.created, reader.country, mail.to == order.account, reader.name, buyer.name, by.name,
            await self.people.seller(order.shop), await self._ship_to(order), expires_at, self.origin,
        )  # fmt: skip
        to = address(reader.email)
        return to, message(letter(facts), mail, order.id, to, self.sender)

    async def _of_family(self, mail: Mail) -> tuple[Address, bytes]:
        event = mail.event
        guardian = event.get("guardian") or event["by"]
        reader, minor, other = [await self.people.contact(account) for account in (mail.to, event["minor"], guardian)]
        written = family_letter(mail.kind, event, minor.name, other.name, reader.country, self.origin)
        to = address(reader.email)
        return to, message(written, mail, "", to, self.sender)

    async def _about(self, shelf: str, event: Event) -> tuple[Order, int]:
        """The order, and when the time to decide is over (0: nobody is asked); a turn's order is the one it allows."""
        if event["type"] == WAITLIST_CHANGED:
            return await self._turn(shelf, event), event["until"]
        order, approval = await self._records(shelf, event["order"])
        return order, approval.expires_at if approval else 0

    async def _turn(self, shelf: str, event: Event) -> Order:
        name = f"offer:{event['offer']}"
        records = await self.store.read(shelf, "show", name)
        show, offer = load(Show, records["show"]), load(Offer, records[name])
        if show is None or offer is None:
            raise not_found("offer")
        line = Line(offer.id, offer.product, offer.title, offer.image, event["quantity"], offer.price)
        total = line.price * line.quantity
        return Order(offer.id, shelf, show.shop, event["owner"], [line], total, offer.currency, 0, event["until"])

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
