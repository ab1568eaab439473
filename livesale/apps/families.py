"""Families: wires invitations to accounts and to the way mails leave that is set."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from livesale.accounts.model import grown_at, old_enough
from livesale.apps.mails import transport_of
from livesale.apps.wiring import Wiring
from livesale.guardians.invitations import Invitations, Knower, Send
from livesale.guardians.model import Approval, Guardian
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.notices.box import name_of
from livesale.notices.family import invitation_letter, question_letter
from livesale.notices.letters import Letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.transport import Envelope
from livesale.orders.floating import Found

FIRST_BOUND_AT = 7  # years; below, a contract is void and nobody can agree to it (§§ 104, 105 BGB)
T = TypeVar("T")
Sender = Callable[[str, str, T, str], Awaitable[None]]


def invitations_of(wiring: Wiring) -> Invitations:
    """The invitations of this system."""
    people, settings = wiring.people, wiring.settings

    async def adult(account: str) -> bool:
        return (await people.age_of(account))[0]

    async def mail(account: str) -> str:
        return (await people.account(account)).email

    return Invitations(
        wiring.database, wiring.guardians.families, Knower(adult, mail, people.seal), settings.key("token.key"),
        settings.public_url, invitation_sender(wiring),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wards:
    """What spending an allowance needs of accounts, families and the catalogue (the port of `orders/spending.py`)."""

    wiring: Wiring

    async def country_of(self, account: str) -> str:
        """Where a ward lives."""
        return await self.wiring.people.country_of(account)

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        """A guardian's way to pay."""
        return await self.wiring.people.unseal(account, sealed, context)

    async def guardian(self, account: str, approval: Approval) -> Guardian:
        """Who agreed in advance, as they stand now."""
        return await self.wiring.guardians.guardian(account, approval)

    async def category_of(self, product: str) -> str:
        """A product's category; empty for one that is gone."""
        found = await self.wiring.product(product)
        return found.category if found else ""


@dataclass(frozen=True, slots=True)
class Minors:
    """What marking an order as a minor's needs of accounts and families (the port of `orders/marking.py`)."""

    wiring: Wiring
    invitations: Invitations

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        """Where an order goes."""
        return await self.wiring.people.unseal(account, sealed, context)

    async def correct_age(self, by: Actor, account: str, born: date) -> Found:
        """Keep what is known now; how young they are, and until when they are."""
        known = await self.wiring.checks.under_age(account, born, by.account)
        self.wiring.people.forget(account)
        too_young = not old_enough(known.age.band, FIRST_BOUND_AT, known.place)
        return Found(too_young, grown_at(known.age, known.place), known.place.legal_ms)

    async def has_guardian(self, account: str) -> bool:
        """Whether anybody is linked who can be asked."""
        return await self.wiring.people.is_ward(account)

    async def invite(self, account: str, email: str, approval: str, until: int) -> None:
        """Ask whoever has the address, who becomes a guardian first."""
        send = _sender(self.wiring, question_letter)
        if send is None:
            raise Refusal("conflict", "This machine sends no mails: nobody could be asked.")
        await self.invitations.ask(account, email, approval, until, send)


def invitation_sender(wiring: Wiring) -> Send | None:
    """Mails an invitation."""
    return _sender(wiring, invitation_letter)


def _sender(wiring: Wiring, letter_of: Callable[[str, str, T, str], Letter]) -> Sender[T] | None:
    """Mails it at once, as a sign-in link is (mails.py): its secret is in no record. None: no way to send is set."""
    transport = transport_of(wiring.settings)
    if transport is None:
        return None
    sender, now_ms = address(wiring.settings.mail_from), wiring.store.now_ms

    async def send(email: str, inviter: str, what: T, link: str) -> None:
        found, at_ms = await wiring.people.account(inviter), now_ms()
        mail = Mail(secrets.token_hex(16), "invitation", inviter, at_ms, at_ms)
        to = address(email)
        letter = letter_of(found.name, found.country, what, link)
        envelope = Envelope(sender.addr_spec, to.addr_spec, name_of(at_ms, mail.id))
        await transport.send(envelope, message(letter, mail, "", to, sender))

    return send
