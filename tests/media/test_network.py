"""ICE for media: settings reach aioice, and no consent check ends a session."""

from __future__ import annotations

import aioice.ice
import aioice.stun
import pytest
from aiortc import rtcicetransport

from livesale.media.frames import VIDEO
from livesale.media.network import Network, host_addresses
from livesale.media.programme import Programme
from tests.support.media import TOKEN, media_server, until
from tests.support.pictures import moving_bar


def test_settings_reach_aioice() -> None:
    """Installing changes new connections, and later settings replace earlier ones."""
    Network(ports=(47_200, 47_300)).install()
    assert rtcicetransport.Connection.ports == (47_200, 47_300)  # type: ignore[attr-defined]
    Network(loopback=False).install()
    assert rtcicetransport.Connection.ports == (0, 0)  # type: ignore[attr-defined]
    assert "127.0.0.1" not in aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    assert "127.0.0.1" in host_addresses(True, False, loopback=True)


def test_servers_are_only_those_of_the_settings() -> None:
    """No STUN server is asked unless one is set; TURN gets its name and password."""
    assert Network().configuration().iceServers == []
    network = Network(ice_servers=("turn:turn.example:3478",), turn_username="u", turn_password="p")
    server = (network.configuration().iceServers or [])[0]
    assert (server.urls, server.username, server.credential) == ("turn:turn.example:3478", "u", "p")


async def test_a_publisher_that_answers_no_consent_check_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg answers no consent check: with checks every 50 ms, far more than six fail, and it is still on
    air.
    """
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.05)
    async with media_server() as server:
        server.open("s1")
        programme = Programme(server.url + "/whip/s1", TOKEN, moving_bar)
        await until(lambda: len(server.fragments(VIDEO)) > 45)
        assert server.states == [("s1", "live")]
        programme.kill()
