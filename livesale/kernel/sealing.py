"""Sealing: personal text is kept only under its account's own key, so erasing the key erases the text everywhere.

AES-256-GCM; the sealed form is 12 bytes of nonce, then ciphertext and tag; `context` (what the text is and whose) is
authenticated, so a sealed name cannot be passed off as an address or moved to another account.
"""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """The text was altered, belongs to another context, or its key has been erased."""


def new_key() -> bytes:
    """A fresh sealing key."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, text: bytes, context: str) -> bytes:
    """`text` sealed under `key` for `context`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """The text sealed under `key` for `context`; SealBroken when it does not open."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(context) from error


def lookup(key: bytes, text: str) -> str:
    """What stands for `text` where it must be found without being written down: keyed BLAKE2b, 256 bit, hex."""
    return hashlib.blake2b(text.encode(), key=key, digest_size=32, person=b"lookup").hexdigest()
