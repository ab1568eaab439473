"""The viewers of `bench fanout`: bare sockets and epoll, which look at the first bytes of a frame and drop the rest.

Speaks lines of JSON: reads `{port, requests, slow}` (the slow ones never read), prints `{"connected": …}` when every
viewer has been let in, answers `mark` (forget what was counted) and `report`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time

from livesale.bench.pace import STAMP, open_many_files
from livesale.hub.wire import FRAGMENT_HEADER_BYTES, MEDIA

CHUNK = 256 << 10
HEAD_BYTES = 10 + 1 + FRAGMENT_HEADER_BYTES + STAMP.size


class Viewer:
    """Where one viewer is in its stream: bytes left of the current message, or the beginning of the next."""

    __slots__ = ("head", "joined", "left", "socket", "stamp_s")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.head = b""
        self.left = 0
        self.joined = False
        self.stamp_s = 0.0


class Load:
    """All viewers, and what has been counted since the last mark."""

    def __init__(self, port: int, requests: list[str], slow: int) -> None:
        self.viewers: dict[int, Viewer] = {}
        self.slow: list[socket.socket] = []
        self.joined = 0
        self.closed = 0
        self.late_s: list[float] = []
        self.frames = 0
        self._poll = select.epoll()
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        for place, request in enumerate(requests):
            self._connect(port, request, reads=place >= slow)

    def mark(self) -> None:
        """Counts from now."""
        self.late_s, self.frames = [], 0

    def report(self) -> dict[str, float]:
        """What was counted."""
        late = sorted(self.late_s) or [0.0]
        return {"frames": self.frames, "late_p99_ms": late[int(len(late) * 0.99)] * 1000, "closed": self.closed}

    def turn(self, timeout_s: float) -> bool:
        """Reads what has come; True when an order waits on stdin."""
        ordered = False
        for number, _ in self._poll.poll(timeout_s):
            if number == 0:
                ordered = True
            else:
                self._read(self.viewers[number])
        return ordered

    def listen_for_orders(self) -> None:
        """From now on `turn` tells of stdin too."""
        self._poll.register(0, select.EPOLLIN)

    def _connect(self, port: int, request: str, *, reads: bool) -> None:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(request.encode())
        if reads:
            connection.setblocking(False)
            self.viewers[connection.fileno()] = Viewer(connection)
            self._poll.register(connection.fileno(), select.EPOLLIN)
        else:
            self.slow.append(connection)

    def _read(self, viewer: Viewer) -> None:
        try:
            size = viewer.socket.recv_into(self._buffer)
        except OSError:
            size = 0
        if size == 0:
            self._poll.unregister(viewer.socket.fileno())
            self.closed += 1
            return
        at = 0
        if not viewer.joined:
            at = self._answer(viewer, size)
        while at < size:
            if viewer.left:
                step = min(viewer.left, size - at)
                viewer.left -= step
                at += step
                if not viewer.left:
                    self._whole(viewer)
            else:
                at = self._begin(viewer, at, size)

    def _answer(self, viewer: Viewer, size: int) -> int:
        viewer.head += bytes(self._view[:size])
        end = viewer.head.find(b"\r\n\r\n")
        if end < 0:
            return size
        if b" 101 " not in viewer.head[:20]:
            raise SystemExit("the server refused a viewer")
        consumed = end + 4 - (len(viewer.head) - size)
        viewer.head = b""
        viewer.joined = True
        self.joined += 1
        return consumed

    def _begin(self, viewer: Viewer, at: int, size: int) -> int:
        """Looks at a message's beginning as soon as enough of it is here."""
        before = len(viewer.head)
        head = viewer.head + bytes(self._view[at : min(size, at + HEAD_BYTES - before)])
        needed, length = _sizes(head)
        if needed is None or (len(head) < HEAD_BYTES and len(head) < needed + length):
            viewer.head = head
            return size
        viewer.head = b""
        media = length > 1 + FRAGMENT_HEADER_BYTES + STAMP.size and head[needed] == MEDIA
        viewer.stamp_s = STAMP.unpack_from(head, needed + 1 + FRAGMENT_HEADER_BYTES)[0] if media else 0.0
        viewer.left = needed + length - before
        if viewer.left <= 0:
            raise SystemExit("a message shorter than what was read of it")
        return at

    def _whole(self, viewer: Viewer) -> None:
        if viewer.stamp_s:
            self.frames += 1
            self.late_s.append(time.monotonic() - viewer.stamp_s)


def _sizes(head: bytes) -> tuple[int | None, int]:
    """Header and payload sizes of an unmasked frame; None while the header is not here."""
    if len(head) < 2:
        return None, 0
    short = head[1] & 0x7F
    needed = 2 if short < 126 else 4 if short == 126 else 10
    if len(head) < needed:
        return None, 0
    return needed, short if short < 126 else int.from_bytes(head[2:needed], "big")


def main() -> None:
    """Runs until `stop` or the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    load = Load(options["port"], options["requests"], options["slow"])
    while load.joined < len(load.viewers):
        load.turn(1.0)
    print(json.dumps({"connected": load.joined}), flush=True)
    load.listen_for_orders()
    while True:
        if load.turn(-1):
            order = os.read(0, 100).decode().strip()
            if order == "mark":
                load.mark()
            elif order == "report":
                print(json.dumps(load.report()), flush=True)
            else:
                return


if __name__ == "__main__":
    main()
