"""A real SMTP server whose faults are told beforehand, and the people whom mails and pushes are about."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from livesale.accounts.pushes import Subscription
from livesale.kernel.refusals import not_found
from livesale.notices.people import Contact
from tests.support.pushservice import Browser


class MailServer:
    """An SMTP server on loopback. `replies` are said instead of taking a mail, first come, at `MAIL`, `DATA` or by address.

    `tls`: TLS from the first byte; `options` are aiosmtpd's.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        self._tls = tls
        self.mails: list[tuple[list[str], bytes]] = []
        self.replies: dict[str, list[str]] = {}
        self.port = 0
        self._options = options
        self._server: asyncio.Server | None = None
        self._kept: socket.socket | None = None  # bound, not listening

    async def start(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        if self._kept:
            self._kept.close()
        made = lambda: SMTP(self, hostname="mail.test", **self._options)  # noqa: E731
        self._server = await loop.create_server(made, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on; the port stays ours."""
        if self._server:
            self._server.close()
            self._server = None
            self._kept = socket.socket()
            self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._kept.bind(("127.0.0.1", self.port))

    async def handle_MAIL(
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if said := self._said("MAIL"):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if said := self._said(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:
        if said := self._said("DATA"):
            return said
        self.mails.append((list(envelope.rcpt_tos), envelope.original_content or b""))
        return "250 OK"

    def _said(self, at: str) -> str | None:
        planned = self.replies.get(at, [])
        return planned.pop(0) if planned else None

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that arrived for an address."""
        return [parsed(data) for to, data in self.mails if to == [address]]


@dataclass
class Town:
    """Accounts by id (`ann` has ann@example.org), who lives where, and families; nothing is sealed."""

    countries: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    families: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    browsers: dict[str, list[Browser]] = field(default_factory=dict)  # a subscription's id is its address

    async def contact(self, account: str) -> Contact:
        if account in self.gone:
            raise not_found("account")
        name = self.names.get(account, account.title())
        return Contact(f"{account}@example.org", name, self.countries.get(account, "DE"))

    async def unseal(self, _account: str, sealed: bytes, _context: str) -> bytes:
        return sealed

    async def guardians_of(self, minor: str, since_ms: int | None = None) -> list[str]:
        return self.families.get(minor, [])

    async def browsers_of(self, account: str) -> list[str]:
        return [one.endpoint for one in self.browsers.get(account, [])]

    async def browser(self, account: str, device: str) -> Subscription | None:
        found = [one for one in self.browsers.get(account, []) if one.endpoint == device]
        return Subscription(**found[0].told()) if found else None

    async def browser_gone(self, device: str) -> None:
        self.browsers = {who: [one for one in all_ if one.endpoint != device] for who, all_ in self.browsers.items()}

    async def seller(self, shop: str) -> str:
        return f"{shop} (Hanna)"


def parsed(data: bytes) -> EmailMessage:
    """A message as mail programs read it."""
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    """Its plain text or HTML."""
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


async def until(look: Callable[[], Any | Awaitable[Any]]) -> None:
    """Wait until something is true; the test's own time limits it."""
    while True:
        found = look()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.01)
