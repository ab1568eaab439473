"""Families: wires invitations to accounts and to the way mails leave that is set."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from livesale.apps.mails import transport_of
from livesale.apps.wiring import Wiring
from livesale.guardians.invitations import Invitations, Knower, Send
from livesale.guardians.model import Approval, Guardian
from livesale.notices.box import name_of
from livesale.notices.family import invitation_letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.transport import Envelope


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


def invitation_sender(wiring: Wiring) -> Send | None:
    """Mails an invitation at once, as a sign-in link is (mails.py): its secret is in no record."""
    transport = transport_of(wiring.settings)
    if transport is None:
        return None
    sender, now_ms = address(wiring.settings.mail_from), wiring.store.now_ms

    async def send(email: str, inviter: str, invites: str, link: str) -> None:
        found, at_ms = await wiring.people.account(inviter), now_ms()
        mail = Mail(secrets.token_hex(16), "invitation", inviter, at_ms, at_ms)
        to = address(email)
        letter = invitation_letter(found.name, found.country, invites, link)
        envelope = Envelope(sender.addr_spec, to.addr_spec, name_of(at_ms, mail.id))
        await transport.send(envelope, message(letter, mail, "", to, sender))

    return send
