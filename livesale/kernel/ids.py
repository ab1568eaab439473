"""Ids: every id says what it names and, if it lives on a shelf, which one.

A *shelf* is `KIND:NAME` (`show:4k2…`, `shop:demo`, `person:a_…`, `campaign:…`). An id on a shelf is
`PREFIX_SHELF_RANDOM`, where SHELF is the kind's letter and the name without underscores, so any id finds its
slot in the store without a look-up: `o_s4k2c_9f…` lives on `show:4k2c`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
from functools import lru_cache

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u to misread aloud
RANDOM_CHARACTERS = 16  # 80 bits
NAME_CHARACTERS = 10  # shows and accounts: 50 bits, checked for absence when created

_KIND_OF_LETTER = {"s": "show", "w": "shop", "p": "person", "c": "campaign"}
_LETTER_OF_KIND = {kind: letter for letter, kind in _KIND_OF_LETTER.items()}
_CHARACTER_OF_BYTE = (ALPHABET * 8).encode()
_DRAWN_AT_ONCE = 4096  # a call of the system for each name was a thirtieth of an order's time
_drawn = io.BytesIO()
os.register_at_fork(after_in_child=lambda: _drawn.seek(0, io.SEEK_END))  # a child must not draw what its parent draws
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")


def random_name(characters: int = RANDOM_CHARACTERS) -> str:
    """`characters` random characters of Crockford's base32 (5 bits each)."""
    # 256 is a whole number of alphabets, so each byte's character is as likely as any other.
    return _random(characters).translate(_CHARACTER_OF_BYTE).decode()


def _random(count: int) -> bytes:
    found = _drawn.read(count)
    if len(found) < count:
        _drawn.seek(0)
        _drawn.write(secrets.token_bytes(max(count, _DRAWN_AT_ONCE)))
        _drawn.truncate()
        _drawn.seek(0)
        found = _drawn.read(count)
    return found


def name_from(text: str, characters: int = RANDOM_CHARACTERS) -> str:
    """A name that is always the same for `text` and, to whoever does not know it, as good as random."""
    return hashlib.blake2b(text.encode(), digest_size=characters).digest().translate(_CHARACTER_OF_BYTE).decode()


def is_name(text: str) -> bool:
    """Whether `text` may name a show, a shop or an account: 1–40 of `a-z 0-9 -`, not starting with `-`."""
    return _NAME.match(text) is not None


@lru_cache(maxsize=4096)
def shelf(kind: str, name: str) -> str:
    """The shelf `KIND:NAME`; ValueError when either is not one."""
    if kind not in _LETTER_OF_KIND or not is_name(name):
        raise ValueError(f"not a shelf: {kind}:{name}")
    return f"{kind}:{name}"


def new_id(prefix: str, on_shelf: str, act: str = "") -> str:
    """A fresh id of something that lives on `on_shelf`, such as `o_s4k2c_9f…`; the same one for the same `act`."""
    kind, name = on_shelf.split(":", 1)
    return f"{prefix}_{_LETTER_OF_KIND[kind]}{name}_{name_from(act) if act else random_name()}"


@lru_cache(maxsize=4096)  # a hot show's buyers name the same few offers
def shelf_of(any_id: str, prefix: str | None = None) -> str | None:
    """The shelf an id lives on, or None when `any_id` is not a well-formed id (of `prefix`, when given)."""
    parts = any_id.split("_")
    if len(parts) != 3 or not parts[0] or (prefix is not None and parts[0] != prefix):
        return None
    kind = _KIND_OF_LETTER.get(parts[1][:1])
    if kind is None or not is_name(parts[1][1:]) or not is_name(parts[2]):
        return None
    return f"{kind}:{parts[1][1:]}"
