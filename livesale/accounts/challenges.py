"""Challenges: what an authenticator has to sign, made and checked without keeping any; pure.

Sixteen random bytes, eight of expiry (ms), sixteen of keyed BLAKE2b over both, the purpose and what it is bound to (the
sign-in that asked). Law: each is good once; whoever accepts one writes it down as spent in the transaction of the effect.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Literal

from livesale.kernel.clock import MINUTE_MS
from livesale.kernel.refusals import Refusal

Purpose = Literal["add", "enter", "prove", "age"]

CHALLENGE_MS = 5 * MINUTE_MS  # a person looks for a key, or scans a code with a phone
_RANDOM, _TIME, _MAC = 16, 8, 16


class Challenges:
    """Makes and checks them with one key (`token.key`)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, purpose: Purpose, bound: str, now_ms: int) -> bytes:
        """A fresh one for this purpose and sign-in."""
        said = secrets.token_bytes(_RANDOM) + (now_ms + CHALLENGE_MS).to_bytes(_TIME, "big")
        return said + self._mac(said, purpose, bound)

    def check(self, challenge: bytes, purpose: Purpose, bound: str, now_ms: int) -> int:
        """When it ends (ms); refused (`expired`) when it is over, not ours, or for something else."""
        said, mac = challenge[:-_MAC], challenge[-_MAC:]
        if len(challenge) == _RANDOM + _TIME + _MAC and hmac.compare_digest(mac, self._mac(said, purpose, bound)):
            ends_ms = int.from_bytes(said[_RANDOM:], "big")
            if now_ms < ends_ms:
                return ends_ms
        raise Refusal("expired", "This took too long. Please try again.")

    def _mac(self, said: bytes, purpose: Purpose, bound: str) -> bytes:
        text = said + f"{purpose} {bound}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_MAC, person=b"challenge").digest()
