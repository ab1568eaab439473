"""Outside: whether an address that a stranger gave us leads out of our own network; pure. Names are judged when they are
resolved (`catalog/resolving.py`), for a name may lead anywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit


class Inside(ValueError):
    """An address we do not go to; the message says why."""


def check_outside(address: str, schemes: Collection[str] = ("http", "https"), *, private: bool = False) -> None:
    """Inside, for an address of another scheme, and for one of our own network that is written as a number (unless `private`)."""
    parts = urlsplit(address)
    if parts.scheme not in schemes or not parts.hostname:
        raise Inside(f"not an {' or '.join(schemes)} address")
    try:
        number = ip_address(parts.hostname)
    except ValueError:
        return
    if not private and not number.is_global:
        raise Inside("an address inside our own network")


def is_loopback(address: str) -> bool:
    """Whether it is this machine's, written as a number."""
    try:
        return ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False
