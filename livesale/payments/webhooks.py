"""The rules of signed webhooks: what the sender signs, what the receiver believes. Pure; both sides use
this file.

Header `Paysim-Signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX]`, HMAC-SHA256 over `t.body`. The time is signed
with the body, so an old delivery cannot be played again later; several `v1` let a secret be changed without
losing a delivery. Inside the tolerance the same event can still come twice (senders repeat): receivers
remember `WebhookEvent.id`.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import msgspec

from livesale.kernel.refusals import Refusal
from livesale.payments.provider import Attempt

SIGNATURE_HEADER = "Paysim-Signature"
TOLERANCE_S = 300
MAX_BODY_BYTES = 64 * 1024
MAX_SIGNATURES = 8

_TIME = re.compile(r"[0-9]{1,12}\Z")


class WebhookEvent(msgspec.Struct, frozen=True):
    """One thing the provider tells us: `type` such as `intent.captured`, `at` in ms, `data` the payment
    after it.
    """

    id: str
    type: str
    at: int
    data: Attempt


def sign(secret: str, body: bytes, now_s: int) -> str:
    """The header's value for `body` sent at `now_s` (seconds since 1970)."""
    return f"t={now_s},v1={_digest(secret, now_s, body)}"


def verify(secret: str, header: str | None, body: bytes, now_s: int) -> None:
    """Refuses (`unauthenticated`) unless `header` signs exactly `body`, with `secret`, within 300 s of
    `now_s`.
    """
    stated_s, signatures = _parts(header or "")
    expected = _digest(secret, stated_s, body).encode()
    # Every candidate is compared in full, so the time taken tells nothing about where they differ.
    matches = [hmac.compare_digest(expected, candidate.encode(errors="replace")) for candidate in signatures]
    if not any(matches):
        raise Refusal("unauthenticated", "The webhook's signature does not match its body.")
    if abs(now_s - stated_s) > TOLERANCE_S:
        raise Refusal("unauthenticated", f"The webhook was signed more than {TOLERANCE_S} s from now.")


def read(body: bytes) -> WebhookEvent:
    """The event in a verified `body`; Refusal `malformed` when it is none, `too_large` over 64 KiB."""
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("too_large", f"A webhook has at most {MAX_BODY_BYTES} bytes.")
    try:
        return msgspec.json.decode(body, type=WebhookEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("malformed", f"The webhook is no event: {error}") from error


def _parts(header: str) -> tuple[int, list[str]]:
    fields = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    signatures = [value for name, _, value in fields if name == "v1"]
    if len(times) != 1 or not _TIME.match(times[0]) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise Refusal("unauthenticated", f"The webhook needs {SIGNATURE_HEADER}: t=SECONDS,v1=HEX.")
    return int(times[0]), signatures


def _digest(secret: str, stated_s: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % stated_s + body, hashlib.sha256).hexdigest()
