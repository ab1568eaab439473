"""A host that reaches the studio by nothing but Debian's coturn: `scripts/line turn`. Exit 1 when no picture comes.

The studio has no address but the one that the relay of its settings gives it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import aioice.ice

from livesale.media.frames import AUDIO, VIDEO
from livesale.media.network import Network
from tests.support.media import TOKEN, media_server, until
from tests.support.publisher import Camera, Microphone, Publisher

PORT = 34_780
USER, PASSWORD = "studio", "turned"


@contextmanager
def coturn() -> Iterator[None]:
    """A relay on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "turnserver", "--listening-ip=127.0.0.1", f"--listening-port={PORT}", "--relay-ip=127.0.0.1", "--allow-loopback-peers",
            "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=livesale", "--no-tls", "--no-dtls", "--no-cli", "-n",
            f"--userdb={folder}/db", f"--pidfile={folder}/pid", "--log-file=stdout",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as relay:
            try:
                yield
            finally:
                relay.terminate()


class RelayOnly(Network, frozen=True):
    """A studio that nobody reaches at any address of its own."""

    def install(self) -> None:
        """As ever, and then no address."""
        super().install()
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: []


async def main() -> int:
    """0 when picture and sound came through the relay."""
    network = RelayOnly(
        ice_servers=(f"turn:127.0.0.1:{PORT}?transport=udp",), turn_username=USER, turn_password=PASSWORD
    )
    with coturn():
        async with media_server(network=network) as server:
            server.open("s1")
            tracks = Microphone().track(), Camera().track()
            host = Publisher(f"{server.url}/whip/s1", TOKEN, *tracks)
            try:
                await host.start()
                await until(lambda: len(server.fragments(VIDEO)) > 100)
                stats = server.broadcasts.stats("s1")
                assert stats is not None
                print(f"{len(server.fragments(VIDEO))} pictures and {len(server.fragments(AUDIO))} sounds came by the relay")
                print(f"{stats.packets_lost} of {stats.packets_expected} packets lost; link: {host.link}")
                await host.stop()
            finally:
                await host.leave()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
