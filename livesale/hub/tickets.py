"""Tickets: what lets one browser into one show at one hub, once, within half a minute.

A ticket is `base64url(msgpack claims) . base64url(Ed25519 signature)`; `web` signs, hubs hold the public key only.
Law: a ticket names a tag, never an account; an account's tag is one per show, so two shows cannot be matched.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from livesale.kernel.refusals import Refusal

TICKET_LIFE_MS = 30_000
TAG_BYTES = 15
MAX_TICKET_CHARACTERS = 1024
_PURPOSE = b"livesale ticket v1\n"  # the key signs nothing else that could be taken for a ticket


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a ticket says. `lease`: the fencing number under which a studio holds the show, as the shelf had it."""

    show: str
    tag: str
    jti: str
    hub: str
    lease: int
    expires_ms: int
    anonymous: bool = False


_decoder = msgspec.msgpack.Decoder(Claims)


def new_jti() -> str:
    """A fresh ticket id, 120 bits."""
    return secrets.token_urlsafe(TAG_BYTES)


def viewer_tag(tag_key: bytes, account: str, show: str) -> str:
    """The tag of `account` in `show`: keyed BLAKE2b, so only who holds tag.key can go from account to tag."""
    text = f"{show}\n{account}".encode()
    return _text(hashlib.blake2b(text, digest_size=TAG_BYTES, key=tag_key, person=b"livesale-tag").digest())


def anonymous_tag() -> str:
    """A tag nobody's account has."""
    return _text(secrets.token_bytes(TAG_BYTES))


def issue(private_key: bytes | Ed25519PrivateKey, claims: Claims) -> str:
    """The ticket for `claims`, signed; `private_key` may be the raw 32 bytes of ticket.key."""
    if isinstance(private_key, bytes):
        private_key = Ed25519PrivateKey.from_private_bytes(private_key)
    body = msgspec.msgpack.encode(claims)
    return f"{_text(body)}.{_text(private_key.sign(_PURPOSE + body))}"


def verify(
    public_key: bytes | Ed25519PublicKey, ticket: str, *, hub: str | None, now_ms: int, late: bool = False
) -> Claims:
    """The claims of a ticket signed by `web` for `hub` (None: any hub, what an upstream asks) and not run out.

    `late`: one that has run out passes too (an edge names again whom it let in).
    Refusal `unauthenticated` or `expired`.
    """
    if isinstance(public_key, bytes):
        public_key = Ed25519PublicKey.from_public_bytes(public_key)
    claims = _signed_claims(public_key, ticket)
    if hub is not None and claims.hub != hub:
        raise Refusal("unauthenticated", "This ticket is for another hub. Ask for a new one.")
    if not late and claims.expires_ms <= now_ms:
        raise Refusal("expired", "This ticket has run out. Ask for a new one.")
    return claims


class UsedTickets:
    """The jtis a show's studio has seen; each passes once and is forgotten when its ticket has run out."""

    def __init__(self) -> None:
        self._expires_ms: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._expires_ms)

    def use(self, claims: Claims) -> None:
        """Marks the ticket used; Refusal `unauthenticated` when it was already."""
        if claims.jti in self._expires_ms:
            raise Refusal("unauthenticated", "This ticket has been used. Ask for a new one.")
        self._expires_ms[claims.jti] = claims.expires_ms

    def forget(self, now_ms: int) -> None:
        """Drops what has run out by `now_ms`."""
        self._expires_ms = {jti: at for jti, at in self._expires_ms.items() if at > now_ms}


def _signed_claims(public_key: Ed25519PublicKey, ticket: str) -> Claims:
    broken = Refusal("unauthenticated", "This is not a ticket of ours. Ask for a new one.")
    body, dot, signature = ticket.partition(".")
    if not dot or len(ticket) > MAX_TICKET_CHARACTERS:
        raise broken
    try:
        signed = _bytes(body)
        public_key.verify(_bytes(signature), _PURPOSE + signed)
        claims = _decoder.decode(signed)
    except (ValueError, InvalidSignature, msgspec.MsgspecError) as error:
        raise broken from error
    return claims


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Strict: one text for one value, so that a used ticket cannot be written another way."""
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _text(data) != text:
        raise ValueError("not canonical base64url")
    return data
