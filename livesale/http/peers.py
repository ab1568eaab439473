"""Who is at the other end: address, host name and scheme. Law: only trusted proxies are believed about others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec
from aiohttp import web

FORWARDING = frozenset({"x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "x-forwarded-proto"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")


class Peer(msgspec.Struct, frozen=True):
    """`local`: a loopback peer that sent no forwarding header, so nobody else speaks through it."""

    address: str
    local: bool
    host: str
    secure: bool


class Peers:
    """Reads the peer of a request, knowing the trusted proxies (addresses or networks)."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = [ip_network(text, strict=False) for text in trusted]

    def of(self, request: web.BaseRequest) -> Peer:
        """The peer of `request`."""
        headers = request.headers
        remote = request.remote or "127.0.0.1"  # a Unix socket has no address
        host = headers.get("Host", "")
        if not any(map(headers.__contains__, FORWARDING)):
            return _direct(remote, host, request.secure)
        if not self._trusts(remote):
            return Peer(remote, False, _checked(host), request.secure)
        address = self._client(remote, headers.get("X-Forwarded-For", ""))
        host = headers.get("X-Forwarded-Host", host)
        scheme = headers.get("X-Forwarded-Proto", request.scheme)
        return Peer(address, False, _checked(host), scheme == "https")

    def _client(self, remote: str, chain: str) -> str:
        """The right-most address that is not a trusted proxy: what stands left of it anybody may have written."""
        found = remote
        for hop in reversed(chain.split(",")):
            address = _address(hop.strip())
            if address is None:
                return found
            found = str(address)
            if not self._trusts(found):
                return found
        return found

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(_within(address, network) for network in self._trusted)


@lru_cache(maxsize=4096)
def _direct(remote: str, host: str, secure: bool) -> Peer:
    return Peer(remote, is_loopback(remote), _checked(host), secure)


def is_loopback(text: str) -> bool:
    """Whether `text` is an address of this machine's loopback."""
    if text in ("127.0.0.1", "::1"):
        return True
    address = _address(text)
    return address is not None and address.is_loopback


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _within(address: IPv4Address | IPv6Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def _checked(host: str) -> str:
    """`host` when it can be a host name and port, else nothing: it ends up in addresses we give out."""
    return host if _HOST.match(host) else ""
