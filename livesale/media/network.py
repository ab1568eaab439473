"""Where the media server can be reached: addresses, UDP ports, STUN and TURN, set once for the process."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aioice.ice
import ifaddr
import msgspec
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCConfiguration, RTCIceServer, rtcicetransport

# FFmpeg's WHIP muxer answers no consent check (RFC 7675), and aioice would hang up on it after 30 s. What we
# send to a host is feedback on what it sends us, and one that falls silent is let go by `broadcasts.py`.
NEVER = 2**31


class Network(msgspec.Struct, frozen=True):
    """Settings of the studio's ICE.

    `loopback`: also offer 127.0.0.1 (one machine, development). `public_ip`: the address seen from outside
    a one-to-one NAT. `ports`: first and last UDP port, (0, 0) for any. `ice_servers`: `stun:` or `turn:`
    addresses with user name and password for TURN; with `ports` STUN is not asked, `public_ip` takes its
    place.
    """

    loopback: bool = True
    public_ip: str = ""
    ports: tuple[int, int] = (0, 0)
    ice_servers: tuple[str, ...] = ()
    turn_username: str = ""
    turn_password: str = ""

    def configuration(self) -> RTCConfiguration:
        """What an RTCPeerConnection is told; by default no server (aiortc's own default is a public one)."""
        servers = [
            RTCIceServer(urls=url, username=self.turn_username or None, credential=self.turn_password or None)
            for url in self.ice_servers
        ]
        return RTCConfiguration(iceServers=servers)

    def install(self) -> None:
        """Makes ICE connections created from now on use these addresses and ports."""
        network = self

        def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
            return host_addresses(use_ipv4, use_ipv6, loopback=network.loopback)

        class PortRangeConnection(aioice.ice.Connection):
            async def get_component_candidates(
                self, component: int, addresses: list[str], timeout: int = 5
            ) -> list[Any]:
                hosts = [await _bind(self, component, address, network.ports) for address in addresses]
                found = [protocol for protocol in hosts if protocol is not None]
                self._protocols += found
                relayed = await super().get_component_candidates(component, [], timeout)
                return [protocol.local_candidate for protocol in found] + relayed

        aioice.ice.get_host_addresses = addresses
        aioice.ice.CONSENT_FAILURES = NEVER
        connection = PortRangeConnection if self.ports[0] else aioice.ice.Connection
        setattr(rtcicetransport, "Connection", connection)  # noqa: B010


def host_addresses(use_ipv4: bool, use_ipv6: bool, *, loopback: bool) -> list[str]:
    """This machine's addresses; link-local IPv6 is left out, loopback is in when asked for."""
    found = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            if isinstance(address.ip, str):
                if use_ipv4 and (loopback or not address.ip.startswith("127.")):
                    found.append(address.ip)
            elif use_ipv6 and address.ip[0] != "::1" and address.ip[2] == 0:
                found.append(address.ip[0])
    return found


async def _bind(connection: Any, component: int, address: str, ports: tuple[int, int]) -> Any:
    """A host candidate's socket on a free port of the range; None when there is none left at this address."""
    loop = asyncio.get_running_loop()
    first, last = ports
    count = last - first + 1
    start = secrets.randbelow(count)
    for step in range(count):
        port = first + (start + step) % count
        try:
            _, protocol = await loop.create_datagram_endpoint(
                lambda: aioice.ice.StunProtocol(connection), local_addr=(address, port)
            )
        except OSError:
            continue
        protocol.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=address,
            port=port,
            type="host",
        )
        return protocol
    return None
