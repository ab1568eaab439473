"""Outside: whether an address that a stranger gave us leads out of our own network; pure. Names are judged when they are
resolved (`catalog/resolving.py`), for a name may lead anywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


class Inside(ValueError):
    """An address we do not go to; the message says why."""


def check_outside(address: str, schemes: Collection[str] = ("http", "https"), *, private: bool = False) -> None:
    """Inside, for an address of another scheme, and for one of our own network that is written as a number (unless `private`)."""
    parts = urlsplit(address)
    if parts.scheme not in schemes or not parts.hostname:
        raise Inside(f"not an {' or '.join(schemes)} address")
    try:
        outside = leads_outside(parts.hostname)
    except ValueError:
        return
    if not private and not outside:
        raise Inside("an address inside our own network")


def leads_outside(number: str) -> bool:
    """Whether an IP address is one of the public Internet; one that carries an IPv4 address (NAT64, 6to4) leads where that
    does. ValueError when it is none."""
    address = ip_address(number)
    if isinstance(address, IPv6Address):
        carried = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address.sixtofour
        if carried is not None:
            return leads_outside(str(carried))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_reserved and not address.is_multicast


def is_loopback(address: str) -> bool:
    """Whether it is this machine's, written as a number."""
    try:
        return ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False
