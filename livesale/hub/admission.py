"""Admission: what a join asks for and whether a hub lets it in. Refusals are close codes (contract section 3)."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import parse_qs, urlsplit

import msgspec

VIEWER_PATH = re.compile(r"/v1/shows/([a-z0-9][a-z0-9-]{0,39})\Z")
RELAY_PATH = re.compile(r"/v1/relay(?:/([a-z0-9][a-z0-9-]{0,39}))?\Z")
RELAY_TOKEN_LIFE_MS = 60_000
MAX_POSITION = 1 << 63


class Join(msgspec.Struct, frozen=True):
    """What a viewer's address says. `after` is None without one; an unreadable one is below every position."""

    show: str
    ticket: str
    after: int | None
    epoch: str | None
    wants_media: bool


def read_join(path: str) -> Join | None:
    """The join a request's path asks for, None when it is no viewer's path."""
    parts = urlsplit(path)
    found = VIEWER_PATH.match(parts.path)
    if found is None:
        return None
    query = parse_qs(parts.query, keep_blank_values=True, max_num_fields=20)
    one = {name: values[-1] for name, values in query.items()}
    return Join(found[1], one.get("ticket", ""), _position(one.get("after")), one.get("epoch"), one.get("media") != "0")


def read_relay_show(path: str) -> str | None:
    """The show an edge's path asks for, "" for its link, None when it is no edge's path."""
    found = RELAY_PATH.match(urlsplit(path).path)
    return found[1] or "" if found else None


def origin_allowed(origin: str | None, allowed: frozenset[str]) -> bool:
    """Whether a page of `origin` may join; no origin (no browser) may: the ticket is the gate."""
    return origin is None or origin in allowed


def relay_token(relay_key: bytes, edge: str, show: str, expires_ms: int) -> str:
    """What an edge shows its upstream: `EDGE.EXPIRES.MAC`, keyed BLAKE2b under relay.key."""
    return f"{edge}.{expires_ms}.{_mac(relay_key, edge, show, expires_ms)}"


def relay_edge(relay_key: bytes, token: str, show: str, now_ms: int) -> str | None:
    """The edge a token names, None when it is not valid for `show` now."""
    named, _, mac = token.rpartition(".")
    edge, _, expires = named.rpartition(".")  # its name may have dots of its own
    if not expires.isascii() or not expires.isdigit() or len(expires) > 15:
        return None
    good = hmac.compare_digest(mac.encode(), _mac(relay_key, edge, show, int(expires)).encode())
    return edge if good and now_ms < int(expires) <= now_ms + 2 * RELAY_TOKEN_LIFE_MS else None


def _mac(relay_key: bytes, edge: str, show: str, expires_ms: int) -> str:
    text = f"{edge}\n{show}\n{expires_ms}".encode()
    return hashlib.blake2b(text, digest_size=24, key=relay_key, person=b"livesale-relay").hexdigest()


def _position(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < MAX_POSITION:
        return int(text)
    return -1
