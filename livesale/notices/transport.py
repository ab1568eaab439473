"""Transports: how a mail's bytes leave: by SMTP, or into the folder of dev mails.

Law: what a server says may repeat the address, and a URL holds a password: neither is logged or kept, only the code is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from livesale.notices.box import Box

SEND_S = 30.0


class Later(Exception):
    """Not taken this time; `code` is the server's reply, `wait_s` for how long it wants to be left alone."""

    def __init__(self, code: int = 0, wait_s: int = 0) -> None:
        super().__init__(f"reply {code}")
        self.code = code
        self.wait_s = wait_s


class Unreachable(Later):
    """No mail can be handed in at the moment, whoever it is for."""


class Refused(Exception):
    """The server will never take this mail; `code` is its reply."""

    def __init__(self, code: int) -> None:
        super().__init__(f"reply {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Envelope:
    """Two addresses in ASCII, and what tells this mail from others (box.py)."""

    sender: str
    to: str
    name: str


class Transport(Protocol):
    """Takes a mail or raises Later, Unreachable or Refused."""

    async def send(self, envelope: Envelope, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class DevFolder:
    """Keeps mails in DATA instead of sending them."""

    box: Box

    async def send(self, envelope: Envelope, data: bytes) -> None:
        """Write the bytes SMTP would have carried."""
        await asyncio.to_thread(self.box.put, envelope.name, data)


class Smtp:
    """Hands mails in at `smtp://…` or `smtps://…`, one connection a mail.

    `smtps` is TLS from the start. `smtp` turns to TLS (STARTTLS) where the server offers it; with a password it must, so
    that nobody in between reads it. On this machine's loopback TLS is left out: a local server's certificate names nobody.
    """

    def __init__(self, url: str, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._from_start = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._from_start else 587 if self._user else 25)
        self._tls = tls()

    async def send(self, envelope: Envelope, data: bytes) -> None:
        """Hand one mail in."""
        try:
            async with asyncio.timeout(SEND_S):
                await aiosmtplib.send(
                    data, sender=envelope.sender, recipients=[envelope.to], hostname=self._host, port=self._port, timeout=SEND_S,
                    username=self._user, password=self._password, tls_context=self._tls,
                    local_hostname=envelope.sender.rpartition("@")[2], **self._security(),
                )  # fmt: skip
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _answer(refused.recipients[0].code) from None
        except aiosmtplib.SMTPDataError as refused:
            raise _answer(refused.code) from None
        except aiosmtplib.SMTPSenderRefused as refused:  # ours: a setting to be put right, then it goes out
            raise Later(refused.code) from None
        except aiosmtplib.SMTPResponseException as refused:
            raise Unreachable(refused.code) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            raise Unreachable from None

    def _security(self) -> dict[str, Any]:
        if self._from_start:
            return {"use_tls": True}
        return {"start_tls": False if _is_here(self._host) else True if self._user else None}


def _answer(code: int) -> Exception:
    return Refused(code) if code >= 500 else Later(code)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
