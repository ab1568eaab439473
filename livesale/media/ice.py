"""The one file with aioice's private names: an ICE connection that keeps to a port range and can be restarted.

aiortc has no ICE restart. The media does not need one from it: DTLS and SRTP go on over whichever pair of addresses
ICE has nominated, so a restart (RFC 8445, 9) is new words, a new check list and the same sockets.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aioice.ice
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.utils import random_string

CHECK_EVERY_S = 0.02  # RFC 8445, 14: pacing

_NAMES = (
    "add_remote_candidate", "build_request", "get_component_candidates", "query_consent", "_check_periodic",
    "_pair_remote_candidate", "sort_check_list", "local_candidates",
)  # fmt: skip
_FIELDS = (
    "_check_list", "_check_list_done", "_early_checks_done", "_local_password", "_local_username", "_nominated",
    "_protocols", "_remote_candidates", "_remote_candidates_end",
)  # fmt: skip


def missing_names() -> list[str]:
    """Names this file and `network.py` build on that the installed aioice lacks."""
    module = [name for name in ("get_host_addresses", "CONSENT_FAILURES", "StunProtocol") if not hasattr(aioice.ice, name)]
    connection = aioice.ice.Connection(ice_controlling=False)
    return module + [f"Connection.{name}" for name in (*_NAMES, *_FIELDS) if not hasattr(connection, name)]


class IceConnection(aioice.ice.Connection):
    """An aioice connection. `ports`: first and last UDP port for host candidates, (0, 0) for any."""

    ports = (0, 0)
    _checking: asyncio.Task[None] | None = None

    async def get_component_candidates(self, component: int, addresses: list[str], timeout: int = 5) -> list[Any]:
        """Host candidates from the range when there is one, then what STUN and TURN give."""
        if not self.ports[0]:
            return await super().get_component_candidates(component, addresses, timeout)
        hosts = [await _bind(self, component, address, self.ports) for address in addresses]
        found = [protocol for protocol in hosts if protocol is not None]
        self._protocols += found
        relayed = await super().get_component_candidates(component, [], timeout)
        return [protocol.local_candidate for protocol in found] + relayed

    def restart(self, username: str, password: str) -> None:
        """New words on both sides; data flows over the old pair until the other side nominates a new one."""
        for pair in self._check_list:
            if pair.task is not None:
                pair.task.cancel()
        self._check_list.clear()
        self._remote_candidates.clear()
        self._check_list_done = self._remote_candidates_end = False
        self._local_username, self._local_password = random_string(4), random_string(22)
        self.remote_username, self.remote_password = username, password

    async def add_restarted(self, candidates: list[aioice.Candidate]) -> None:
        """The other side's candidates after a restart: they are checked from here too."""
        for candidate in candidates:
            await self.add_remote_candidate(candidate)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())

    async def close(self) -> None:
        """As aioice closes."""
        if self._checking is not None:
            self._checking.cancel()
        await super().close()

    async def _check(self) -> None:
        while any(pair.state.name in ("FROZEN", "WAITING") for pair in self._check_list):
            self._check_periodic()
            await asyncio.sleep(CHECK_EVERY_S)


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
