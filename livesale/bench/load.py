"""The viewers of `bench fanout`: bare sockets and epoll.

Speaks lines of JSON: reads `{viewers: [[port, path], …], slow}` (the slow ones, the first, never read), prints
`{"connected": …}` when all the others have had their first frame, answers `mark` (forget what was counted), `report`,
and `slow` (how many of the slow ones find 4008 when they read at last).
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time

from livesale.apps.process import open_many_files
from livesale.bench.stream import Stream
from livesale.hub.connection import TOO_SLOW

CHUNK = 256 << 10
READ_AT_LAST_S = 2.0
TOO_SLOW_CLOSE = TOO_SLOW.to_bytes(2, "big") + b"too slow"
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bGl2ZXNhbGUgYmVuY2ghIQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: livesale.v1\r\n\r\n"
)


class Viewer:
    """A viewer's socket and where it is in its stream; `answer`: of the handshake, until it is whole."""

    __slots__ = ("answer", "socket", "stream")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.answer: bytes | None = b""
        self.stream = Stream()


class Load:
    """All viewers, and what has been counted since the last mark."""

    def __init__(self, viewers: list[tuple[int, str]], slow: int) -> None:
        self.viewers: dict[int, Viewer] = {}
        self.slow: list[socket.socket] = []
        self.joined = 0
        self.closed = 0
        self.late_s: list[float] = []
        self._poll = select.epoll()
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        for place, (port, path) in enumerate(viewers):
            self._connect(port, path, reads=place >= slow)

    def mark(self) -> None:
        """Counts from now."""
        self.late_s = []

    def report(self) -> dict[str, float]:
        """What was counted."""
        late = sorted(self.late_s) or [0.0]
        late_p99_ms = late[int(len(late) * 0.99)] * 1000
        return {"frames": len(self.late_s), "late_p99_ms": late_p99_ms, "closed": self.closed}

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

    def read_at_last(self) -> int:
        """Reads what has waited for the slow ones; how many of them were told that they are too slow."""
        ends_s, told = time.monotonic() + READ_AT_LAST_S, 0
        for connection in self.slow:
            connection.settimeout(max(0.01, ends_s - time.monotonic()))
            tail = b""
            try:
                while data := connection.recv(CHUNK):
                    tail = (tail + data)[-len(TOO_SLOW_CLOSE) :]
            except OSError:
                pass  # still connected, or reset behind the close
            told += tail == TOO_SLOW_CLOSE
        return told

    def _connect(self, port: int, path: str, *, reads: bool) -> None:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(REQUEST.format(path=path).encode())
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
        at = 0 if viewer.answer is None else self._answer(viewer, size)
        stream, began = viewer.stream, viewer.stream.messages
        for due_s in stream.take(self._view[at:size]):
            self.late_s.append(time.monotonic() - due_s)
        if not began and stream.messages:
            self.joined += 1

    def _answer(self, viewer: Viewer, size: int) -> int:
        """Bytes of these that belong to the handshake."""
        before = viewer.answer or b""
        answer = before + bytes(self._view[:size])
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            viewer.answer = answer
            return size
        if b" 101 " not in answer[:20]:
            raise SystemExit("the server refused a viewer")
        viewer.answer = None
        return end + 4 - len(before)


def main() -> None:
    """Runs until the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    load = Load(options["viewers"], options["slow"])
    while load.joined < len(load.viewers):
        load.turn(1.0)
        if load.closed:
            raise SystemExit("the server closed a viewer that had just come")
    print(json.dumps({"connected": load.joined}), flush=True)
    load.listen_for_orders()
    while True:
        if not load.turn(-1):
            continue
        order = os.read(0, 100).decode().strip()
        if not order:
            return
        if json.loads(order) == "mark":
            load.mark()
        elif json.loads(order) == "report":
            print(json.dumps(load.report()), flush=True)
        else:
            print(json.dumps({"slow_closed": load.read_at_last()}), flush=True)


if __name__ == "__main__":
    main()
