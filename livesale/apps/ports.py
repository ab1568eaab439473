"""Ports: which TCP ports a system takes, that nobody else has them, and that DATA keeps them.

A port is claimed twice: a listening socket that is closed again shows whether another program has it, and a
name in the abstract socket space, which the kernel frees with the process, keeps other systems of ours away
until ours listens. Without the second, two `up` at once would both find it free, and as the web processes
share their port by SO_REUSEPORT, both would get it.
"""

from __future__ import annotations

import errno
import json
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from livesale.settings import SettingsError, variable_of

_FIRST, _LAST = 20_000, 29_999  # below what Linux hands out for outgoing connections (32768 and up)
_PATIENCE_S = 2.0  # for the last processes of a system that was just killed on the same DATA


class Claims:
    """The ports one `up` has claimed, for as long as it lives."""

    def __init__(self, data: Path, host: str, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._data = data
        self._host = host
        self._names: list[socket.socket] = []
        self._kept = _read(data)
        self.ports: dict[str, int] = {}

    def fixed(self, name: str, port: int) -> None:
        """Claim the `port` someone asked for; SettingsError says who has it."""
        deadline = time.monotonic() + self._patience_s
        while not self._claim(name, port):
            if time.monotonic() > deadline:
                way = "--port" if name == "port" else variable_of(name)
                taken = f"port {port} on {self._host} is taken{_taken_by(port)}"
                raise SettingsError(f"{taken}; choose another with {way}")
            time.sleep(0.05)

    def chosen(self, name: str) -> None:
        """Claim the port this DATA has kept for `name`, or else a free one that it keeps from now on."""
        for port in self._candidates(name):
            if self._claim(name, port):
                return
        raise SettingsError(f"no port between {_FIRST} and {_LAST} on {self._host} is free for {name}")

    def remember(self) -> None:
        """Keep what was chosen in DATA/ports.json."""
        self._kept.update(self.ports)
        draft = self._data / ".ports.json.new"
        draft.write_text(json.dumps(self._kept, indent=1, sort_keys=True) + "\n")
        draft.rename(self._data / "ports.json")

    def close(self) -> None:
        """Give the ports back."""
        for mark in self._names:
            mark.close()

    def _candidates(self, name: str) -> Iterator[int]:
        """The kept one, then all others from a place that differs by DATA, so that systems rarely meet."""
        if name in self._kept:
            yield self._kept[name]
        span = _LAST - _FIRST + 1
        start = zlib.crc32(f"{self._data}/{name}".encode()) % span
        for step in range(span):
            yield _FIRST + (start + step) % span

    def _claim(self, name: str, port: int) -> bool:
        if port in self.ports.values():
            return False
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0livesale-port-{self._host}-{port}")
            _listen_once(self._host, port)
        except OSError as error:
            mark.close()
            if error.errno == errno.EADDRINUSE:
                return False
            raise SettingsError(f"cannot listen on {self._host} port {port}: {error.strerror}") from None
        self._names.append(mark)
        self.ports[name] = port
        return True


def is_free(host: str, port: int) -> bool:
    """Whether a program could listen there now."""
    try:
        _listen_once(host, port)
    except OSError:
        return False
    return True


def _listen_once(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # Past connections in TIME_WAIT do not count; a listener, even one with SO_REUSEPORT, does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _read(data: Path) -> dict[str, int]:
    try:
        kept: Mapping[str, object] = json.loads((data / "ports.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in kept.items() if isinstance(port, int)}


def _taken_by(port: int) -> str:
    """` by NAME (pid N)` where this account may see it."""
    try:
        for line in psutil.net_connections("tcp"):
            if line.laddr and line.laddr.port == port and line.status == psutil.CONN_LISTEN and line.pid:
                return f" by {psutil.Process(line.pid).name()} (pid {line.pid})"
    except psutil.Error:
        pass
    return ""
