"""Pushing: the browser's word that a request waits, encrypted for that browser alone (RFC 8291) and handed to its service.

Law: a locked screen shows it, and a service we do not know carries it: it names nobody, no product, no sum and no age, for
it is the same few words every time. A Topic (RFC 8030) and the notification's tag make what is sent twice one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from livesale.accounts.pushes import Subscription, decoded
from livesale.catalog.resolving import OutsideResolver
from livesale.guardians.model import Approval
from livesale.kernel.clock import SECOND_MS
from livesale.notices.model import Mail
from livesale.notices.people import People
from livesale.notices.transport import Later, Refused
from livesale.notices.vapid import Vapid
from livesale.notices.words import PUSHED, language_of
from livesale.store.record import load
from livesale.store.valkey import Store

SEND_S = 20.0
GONE = (404, 410)  # RFC 8030 section 7.3: this browser is there no more
LONGEST_WAIT_S = 3600


class Stale(Exception):
    """Nobody has to be told any more."""


class Push(msgspec.Struct, frozen=True):
    """What the service worker (`web/push/worker.ts`) reads."""

    text: str
    language: str
    tag: str


@dataclass(frozen=True, slots=True)
class Pusher:
    """Hands pushes to the browsers' services, at addresses outside our network only."""

    store: Store
    people: People
    vapid: Vapid
    now_ms: Callable[[], int]

    async def push(self, shelf: str, mail: Mail) -> None:
        """Send one; raises Stale, Later or Refused."""
        name = f"approval:{mail.event['approval']}"
        approval = load(Approval, (await self.store.read(shelf, name))[name])
        left_ms = _until(approval, mail.kind) - self.now_ms() if approval else 0
        browser = await self.people.browser(mail.to, mail.device) if left_ms >= SECOND_MS else None
        if browser is None:
            raise Stale
        language = language_of((await self.people.contact(mail.to)).country)
        said = msgspec.json.encode(Push(PUSHED[language], language, mail.id))
        status, wait_s = await self._post(browser, encrypted(said, browser), self._headers(browser, mail, left_ms))
        if status in GONE:
            await self.people.browser_gone(mail.device)
        if status == 429 or status >= 500:
            raise Later(status, wait_s)
        if status >= 300:
            raise Refused(status)

    def _headers(self, browser: Subscription, mail: Mail, left_ms: int) -> dict[str, str]:
        return {
            "Authorization": self.vapid.authorization(browser.endpoint, self.now_ms() // SECOND_MS),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(left_ms // SECOND_MS),
            "Topic": mail.id,
            "Urgency": "high",
        }

    async def _post(self, browser: Subscription, body: bytes, headers: dict[str, str]) -> tuple[int, int]:
        """The service's status, and for how many seconds it wants to be left alone."""
        connector = aiohttp.TCPConnector(resolver=OutsideResolver(private=False))
        timeout = aiohttp.ClientTimeout(total=SEND_S)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                async with session.post(browser.endpoint, data=body, headers=headers, allow_redirects=False) as answer:
                    wait = answer.headers.get("Retry-After", "")
                    return answer.status, min(int(wait), LONGEST_WAIT_S) if wait.isascii() and wait.isdigit() else 0
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise Later from None  # what went wrong may repeat the address


def _until(approval: Approval, kind: str) -> int:
    """Until when it is of use (ms): a request while it is open, a payment to be confirmed while it may be paid."""
    wanted, until = ("approved", approval.pay_until) if kind == "confirm" else ("requested", approval.expires_at)
    return until if approval.state == wanted else 0


def encrypted(text: bytes, browser: Subscription) -> bytes:
    """`text` as only this browser can read it."""
    body: bytes = http_ece.encrypt(
        text, salt=secrets.token_bytes(16), private_key=generate_private_key(SECP256R1()), dh=decoded(browser.p256dh),
        auth_secret=decoded(browser.auth), version="aes128gcm",
    )  # fmt: skip
    return body
