"""The client of the payment sandbox: the port of `provider.py` over HTTP, with short timeouts and no second
thoughts.

It never repeats a call by itself: its caller has stored the key and decides when to ask again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.payments.provider import NOT_MADE, REPLAYED, REPLAYED_HEADER, Attempt, State

CONNECT_TIMEOUT_S = 1.0
TOTAL_TIMEOUT_S = 4.0
MAX_ANSWER_BYTES = 1024 * 1024

# Answers that say nothing about the payment: the call is still running, came too often, or was not let in.
SILENT_STATUSES = frozenset({401, 403, 408, 425, 429})
SILENT_CODES = frozenset({"in_progress", "idempotency_key_reused"})
PAST_IT = "not_authorised"  # the payment is past the act: where it stands is the answer


class _Problem(msgspec.Struct):
    code: str


class _Found(msgspec.Struct):
    items: list[Attempt]
    next: str | None = None


class SandboxProvider:
    """A `PaymentProvider`. Use as an async context manager, or call `close()`; refuses a live key
    (ValueError).
    """

    def __init__(self, base_url: str, secret_key: str, *, timeout_s: float = TOTAL_TIMEOUT_S) -> None:
        if secret_key.startswith("sk_live"):
            raise ValueError("the payment sandbox refuses live keys")
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret_key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> SandboxProvider:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def authorise(
        self, key: str, amount: Money, method: str, reference: str, return_url: str
    ) -> Attempt:
        """See `PaymentProvider.authorise`."""
        body = {
            "amount": amount.amount,
            "currency": amount.currency,
            "method_token": method,
            "reference": reference,
            "capture": "manual",
            "return_url": return_url,
        }
        return await self._act("/v1/intents", key, body, None)

    async def capture(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """See `PaymentProvider.capture`."""
        attempt = await self._act(f"{_path(provider_id)}/capture", key, _asked(amount), "captured")
        return attempt if attempt.decline != PAST_IT else await self.lookup(provider_id)

    async def void(self, key: str, provider_id: str) -> Attempt:
        """See `PaymentProvider.void`."""
        attempt = await self._act(f"{_path(provider_id)}/void", key, {}, "voided")
        return attempt if attempt.decline != PAST_IT else await self.lookup(provider_id)

    async def refund(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """See `PaymentProvider.refund`."""
        attempt = await self._act(f"{_path(provider_id)}/refunds", key, _asked(amount), "refunded")
        return attempt if attempt.decline != REPLAYED else await self._made(key, provider_id)

    async def lookup(self, provider_id: str) -> Attempt:
        """See `PaymentProvider.lookup`."""
        return _read(*await self._call("GET", _path(provider_id)))

    async def find(self, reference: str) -> list[Attempt]:
        """See `PaymentProvider.find`."""
        status, body = await self._call("GET", "/v1/intents", params={"reference": reference})
        try:
            return msgspec.json.decode(body, type=_Found).items if status == 200 else [_read(status, body)]
        except msgspec.MsgspecError:
            return [_unknown("unreadable_answer")]

    async def payments(self, since_ms: int) -> AsyncIterator[list[Attempt]]:
        """See `PaymentProvider.payments`."""
        after: str | None = ""
        while after is not None:
            params = {"since": str(since_ms), **({"after": after} if after else {})}
            status, body = await self._call("GET", "/v1/intents", params=params)
            if status != 200:
                raise Refusal("store_unavailable", f"The sandbox could not be asked ({status}).", retry_after_s=1)
            page = msgspec.json.decode(body, type=_Found)
            yield page.items
            after = page.next

    async def _made(self, key: str, provider_id: str) -> Attempt:
        """What the refund under `key` came to."""
        found = _read(*await self._call("GET", f"{_path(provider_id)}/refunds/{quote(key, safe='')}"))
        if found.decline == "not_found":
            return _unknown(NOT_MADE)
        return msgspec.structs.replace(found, state="refunded") if found.state in ("captured", "refunded") else found

    async def _act(self, path: str, key: str, body: dict[str, Any], done: State | None) -> Attempt:
        status, answer = await self._call("POST", path, json=body, headers={"Idempotency-Key": key})
        attempt = _read(status, answer)
        if done is None or status != 200 or attempt.state in ("failed", "unknown"):
            return attempt
        return msgspec.structs.replace(attempt, state=done)

    async def _call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **rest: Any
    ) -> _Answer:
        session = self._opened()
        try:
            async with session.request(
                method, self._base_url + path, headers={**self._headers, **(headers or {})}, **rest
            ) as answer:
                if answer.status >= 500 and answer.headers.get(REPLAYED_HEADER) == "true":
                    return 0, REPLAYED.encode()
                return answer.status, await _whole(answer.content)
        except TimeoutError:
            return 0, b"timeout"
        except aiohttp.ClientError:
            return 0, b"unreachable"

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session


_Answer = tuple[int, bytes]  # HTTP status (0: none came, the body says why), body


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """All of an answer, bounded, so that a wrong address cannot fill our memory."""
    body = b""
    while len(body) < MAX_ANSWER_BYTES and (more := await content.read(MAX_ANSWER_BYTES - len(body))):
        body += more
    return body


def _read(status: int, body: bytes) -> Attempt:
    if status == 0:
        return _unknown(body.decode())
    try:
        if status == 200:
            return msgspec.json.decode(body, type=Attempt)
        if status >= 500:
            return _unknown(f"http_{status}")
        code = msgspec.json.decode(body, type=_Problem).code
    except msgspec.MsgspecError:
        return _unknown(f"http_{status}")
    if status not in range(400, 500) or status in SILENT_STATUSES or code in SILENT_CODES:
        return _unknown(code)
    return Attempt("failed", decline=code)


def _unknown(reason: str) -> Attempt:
    return Attempt("unknown", decline=reason)


def _path(provider_id: str) -> str:
    return f"/v1/intents/{quote(provider_id, safe='')}"


def _asked(amount: Money) -> dict[str, Any]:
    return {"amount": amount.amount, "currency": amount.currency}
