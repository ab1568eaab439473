"""Mails: wires the notices room to accounts, families and shops, and to the way mails leave that is set."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from livesale.accounts.codes import SendCode
from livesale.accounts.links import Send
from livesale.accounts.model import Account
from livesale.accounts.pushes import Subscription
from livesale.apps.wiring import Wiring
from livesale.catalog.shops import owner_of
from livesale.kernel.refusals import Refusal
from livesale.notices.box import Box, name_of
from livesale.notices.entry import code_letter, entry_letter, erased_letter
from livesale.notices.letters import Letter
from livesale.notices.message import address, message
from livesale.notices.model import Mail
from livesale.notices.people import Contact
from livesale.notices.postman import Postman
from livesale.notices.pushing import Pusher
from livesale.notices.reactions import Notices
from livesale.notices.transport import DevFolder, Envelope, Smtp, Transport
from livesale.notices.vapid import Vapid
from livesale.notices.writer import Writer
from livesale.settings import Settings
from livesale.store.database import reading

log = structlog.get_logger(__name__)


def dev_box(settings: Settings) -> Box | None:
    """Where dev mails are kept; None when mails are not for this machine only."""
    return Box(settings.data / "mail") if settings.dev_mail or settings.demo else None


def mails(wiring: Wiring) -> tuple[Notices, Postman] | None:
    """The reader and the sender of mails; None, with a warning, when no way to send them is set."""
    settings = wiring.settings
    transport = transport_of(settings)
    if transport is None:
        log.warning("no mails are sent: smtp_url is not set")
        return None
    people = Readers(wiring)
    writer = Writer(wiring.store, people, settings.public_url, address(settings.mail_from))
    pusher = Pusher(wiring.store, people, vapid_of(settings), wiring.store.now_ms)
    postman = Postman(wiring.store, writer, transport, pusher)
    return Notices(wiring.store, people, postman.tell), postman


def vapid_of(settings: Settings) -> Vapid:
    """Who this system is to browsers' push services."""
    return Vapid(settings.key("vapid.key"), f"mailto:{settings.mail_from}")


def transport_of(settings: Settings) -> Transport | None:
    """Into the dev folder, by SMTP, or nowhere."""
    box = dev_box(settings)
    if box:
        return DevFolder(box)
    return Smtp(settings.smtp_url) if settings.smtp_url else None


def link_sender(settings: Settings, now_ms: Callable[[], int]) -> Send | None:
    """Mails a sign-in link at once; None when no way to send mails is set.

    Not by the postman: its records are kept, and a link is no use to anybody but its reader, for fifteen minutes.
    """
    return _sender(settings, now_ms, entry_letter)


def code_sender(settings: Settings, now_ms: Callable[[], int]) -> SendCode | None:
    """Mails a code to step up with, at once like a link."""
    return _sender(settings, now_ms, code_letter)


def receipt_sender(settings: Settings, now_ms: Callable[[], int]) -> Callable[[Account], Awaitable[None]] | None:
    """Mails that an account has been erased, to the address it had; whoever has it is told once, if the mail server lives."""
    send = _sender(settings, now_ms, lambda name, country, _secret: erased_letter(name, country))
    if send is None:
        return None

    async def told(account: Account) -> None:
        try:
            await send(account, "")
        except Exception as error:  # erased it is, and its address is nobody's to try again
            log.warning("no receipt of an erasure was sent", why=type(error).__name__)

    return told


def _sender(
    settings: Settings, now_ms: Callable[[], int], letter_of: Callable[[str, str, str], Letter]
) -> Callable[[Account, str], Awaitable[None]] | None:
    transport = transport_of(settings)
    if transport is None:
        return None
    sender = address(settings.mail_from)

    async def send(account: Account, secret: str) -> None:
        at_ms = now_ms()
        mail = Mail(secrets.token_hex(16), "entry", account.id, at_ms, at_ms)
        to = address(account.email)
        envelope = Envelope(sender.addr_spec, to.addr_spec, name_of(at_ms, mail.id))
        letter = letter_of(account.name, account.country, secret)
        await transport.send(envelope, message(letter, mail, "", to, sender))

    return send


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads mails: the port of `notices/people.py`."""

    wiring: Wiring

    async def contact(self, account: str) -> Contact:
        """Address, name and country; Refusal not_found once the account is erased."""
        found = await self.wiring.people.account(account)
        return Contact(found.email, found.name, found.country)

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        """Personal text of an account."""
        return await self.wiring.people.unseal(account, sealed, context)

    async def guardians_of(self, minor: str, since_ms: int | None = None) -> list[str]:
        """The accounts that may decide for a minor now, or could at some time since."""
        ties, now_ms = (await self.wiring.guardians.family_of(minor)).ties, self.wiring.store.now_ms()
        return [tie.guardian for tie in ties if tie.active(now_ms) or (since_ms and (tie.ends_at or 0) > since_ms)]

    async def browsers_of(self, account: str) -> list[str]:
        """The subscriptions of an account's browsers."""
        return [one.id for one in await self.wiring.pushes.of(account)]

    async def browser(self, account: str, device: str) -> Subscription | None:
        """One of them."""
        return await self.wiring.pushes.open(account, device)

    async def browser_gone(self, device: str) -> None:
        """Its push service knows it no more."""
        await self.wiring.pushes.gone(device)

    async def seller(self, shop: str) -> str:
        """A shop with the name of who owns it."""
        async with reading(self.wiring.database) as connection:
            owner = await owner_of(connection, shop)
        try:
            return f"{shop} ({await self.wiring.people.name_of(owner)})" if owner else shop
        except Refusal:
            return shop  # its owner is gone
