"""The chain: each archived entry's hash covers the one before it, and a signed head covers them all. Pure.

hash(n) = SHA-256(hash(n-1) ‖ n as 8 bytes big-endian ‖ the entry's bytes); hash(0) = SHA-256("livesale chain SHELF"),
so that two shelves' chains cannot be exchanged. A head is an Ed25519 signature over "livesale head SHELF " ‖ n as 8
bytes big-endian ‖ hash(n).
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEQ_BYTES = 8


def genesis(shelf: str) -> bytes:
    """The hash before a shelf's first entry."""
    return hashlib.sha256(f"livesale chain {shelf}".encode()).digest()


def link(previous: bytes, seq: int, raw: bytes) -> bytes:
    """The hash of entry `seq`."""
    return hashlib.sha256(previous + seq.to_bytes(SEQ_BYTES, "big") + raw).digest()


def sign(key: Ed25519PrivateKey, shelf: str, seq: int, head: bytes) -> bytes:
    """The signature of a head."""
    return key.sign(f"livesale head {shelf} ".encode() + seq.to_bytes(SEQ_BYTES, "big") + head)
