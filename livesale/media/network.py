"""Where the media server can be reached: addresses, UDP ports, STUN and TURN, set once for the process."""

from __future__ import annotations

import aioice.ice
import ifaddr
import msgspec
from aiortc import RTCConfiguration, RTCIceServer, rtcicetransport

from livesale.media.ice import IceConnection

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

        aioice.ice.get_host_addresses = addresses
        aioice.ice.CONSENT_FAILURES = NEVER
        IceConnection.ports = self.ports
        setattr(rtcicetransport, "Connection", IceConnection)  # noqa: B010

    def links(self) -> str:
        """The servers as a Link header's value (RFC 9725, 4.6); empty without any."""
        named = f'; username="{self.turn_username}"; credential="{self.turn_password}"; credential-type="password"'
        return ", ".join(
            f'<{url}>; rel="ice-server"{named if url.startswith("turn") else ""}' for url in self.ice_servers
        )


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
