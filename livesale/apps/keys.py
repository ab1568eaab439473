"""Keys: what DATA/keys holds; every file is made once, readable by its owner only, and never changed by us.

Law: whoever copies DATA copies the keys; whoever loses them cannot prove the ledger's head.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAIRS = ("ticket", "ledger")  # NAME.key: Ed25519 private, NAME.pub: public; raw 32 bytes each
SECRETS = (
    "tag.key",  # turns an account and a show into a viewer's tag
    "relay.key",  # what studio and edges share: who may fetch a show to pass it on
    "token.key",  # signs sessions and API tokens
    "address.key",  # stands between a mail address and its hash in SQL: lost, nobody can sign in by address
    "sandbox.key",  # what `web`, `worker` and `paysim` share: its API and its webhooks
)
VAPID = "vapid.key"  # who we are to browsers' push services: P-256, 32 bytes; lost, every browser has to be switched on again


def make_keys(data: Path) -> Path:
    """Make whatever is missing in `data`/keys and return the folder."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SECRETS:
        if not (folder / name).exists():
            _write(folder / name, secrets.token_bytes(32))
    if not (folder / VAPID).exists():
        number = generate_private_key(SECP256R1()).private_numbers().private_value
        _write(folder / VAPID, number.to_bytes(32, "big"))
    for name in PAIRS:
        _make_pair(folder / f"{name}.key", folder / f"{name}.pub")
    return folder


def _make_pair(private: Path, public: Path) -> None:
    """The public half is derived anew when it is missing: a crash between leaves no odd pair."""
    if not private.exists():
        _write(private, Ed25519PrivateKey.generate().private_bytes_raw())
    if not public.exists():
        key = Ed25519PrivateKey.from_private_bytes(private.read_bytes())
        _write(public, key.public_key().public_bytes_raw())


def _write(path: Path, content: bytes) -> None:
    """All or nothing, and on the disk before anything is signed with it."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(number)
    draft.rename(path)
