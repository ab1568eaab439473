"""Tokens: signed, self-contained proof of who is calling, checked without asking the database.

`ls1.CLAIMS.MAC`: CLAIMS is a msgpack array, MAC keyed BLAKE2b (256 bit) over all before it, both base64url.
Session cookies and API tokens are the same thing with another `kind`; neither passes for the other.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cached_property, lru_cache
from typing import Literal

import msgspec

from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal

Kind = Literal["session", "token"]

KNOWN_TOKENS = 20_000  # of a process; about 1 KiB each
MAC_BYTES = 32
_PREFIX = "ls1"
_LONGEST = 2_000


class Claims(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, dict=True):
    """What a token says; times in ms. `sid` names the sign-in, by which it can be revoked; no `scopes`: all its roles may."""

    kind: Kind
    account: str
    roles: tuple[str, ...]
    country: str
    issued: int
    expires: int
    sid: str
    stepped_up: int = 0
    scopes: tuple[str, ...] = ()

    @cached_property
    def actor(self) -> Actor:
        """The caller these claims stand for."""
        scopes = frozenset(self.scopes) or None
        return Actor(
            self.account, frozenset(self.roles), self.country, self.stepped_up, self.kind, self.sid, scopes
        )


class Tokens:
    """Signs and opens tokens with one key (`token.key`)."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        # Only whole, rightly signed tokens are kept: an exception is never cached.
        self._opened = lru_cache(maxsize=KNOWN_TOKENS)(self._open)

    def sign(self, claims: Claims) -> str:
        """The token that says `claims`."""
        signed = f"{_PREFIX}.{_text(msgspec.msgpack.encode(claims))}"
        return f"{signed}.{_text(self._mac(signed))}"

    def open(self, token: str, kind: Kind, now_ms: int) -> Claims:
        """What `token` says; refused (`unauthenticated`) when forged, of another kind, or expired."""
        claims = self._opened(token)
        if claims.kind != kind or now_ms >= claims.expires:
            raise Refusal("unauthenticated", "This sign-in has expired. Sign in again.")
        return claims

    def csrf(self, claims: Claims) -> str:
        """What a page must send along with its cookie when it changes something."""
        return hashlib.blake2b(claims.sid.encode(), key=self._key, digest_size=16, person=b"csrf").hexdigest()

    def _open(self, token: str) -> Claims:
        signed, _, mac = token.rpartition(".")
        prefix, _, body = signed.partition(".")
        try:
            if prefix != _PREFIX or len(token) > _LONGEST:
                raise ValueError(prefix)
            if not hmac.compare_digest(_text(self._mac(signed)), mac):
                raise ValueError("mac")
            return _decoder.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (ValueError, TypeError, msgspec.MsgspecError):
            raise Refusal("unauthenticated", "This is no valid token.") from None

    def _mac(self, signed: str) -> bytes:
        return hashlib.blake2b(
            signed.encode(), key=self._key, digest_size=MAC_BYTES, person=b"token"
        ).digest()


_decoder = msgspec.msgpack.Decoder(Claims)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
