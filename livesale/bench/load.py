"""The viewers of `bench fanout`: bare sockets and epoll.

Speaks lines of JSON: reads `{viewers: [[port, path], …], tls}`, prints `{"connected": …}` when all have had their first frame,
and answers `mark` (forget what was counted) and `report`. Each viewer's pictures are counted by the sequence in their
fragments: one that does not follow the last is lost, one more than LATE_S after it was due is late. `busy` is the share of
the time in which this process had work: well below one, it was never what others waited for.
"""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import sys
import time

from livesale.apps.process import open_many_files
from livesale.bench.stream import Stream

CHUNK = 256 << 10
LATE_S = 0.5
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bGl2ZXNhbGUgYmVuY2ghIQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: livesale.v1\r\n\r\n"
)


class Viewer:
    """A viewer's socket and where it is in its stream; `answer`: of the handshake, until it is whole."""

    __slots__ = ("answer", "late", "socket", "stream")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.answer: bytes | None = b""
        self.stream = Stream()
        self.late = 0


class Load:
    """All viewers, and what has been counted since the last mark."""

    def __init__(self, viewers: list[tuple[int, str]], *, tls: bool) -> None:
        self.viewers: dict[int, Viewer] = {}
        self.joined = 0
        self.closed = 0
        self.late_s: list[float] = []
        self._poll = select.epoll()
        self._busy_s = self._marked_s = 0.0
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        self._tls = _trusting() if tls else None
        for port, path in viewers:
            self._connect(port, path)

    def mark(self) -> None:
        """Counts from now."""
        self.late_s = []
        self._busy_s, self._marked_s = 0.0, time.monotonic()
        for viewer in self.viewers.values():
            viewer.late = viewer.stream.lost = 0

    def report(self) -> dict[str, float]:
        """What was counted; `late` and `lost`: pictures, `late_viewers` and `losers`: viewers that had any."""
        sorted_s = sorted(self.late_s) or [0.0]
        late = [viewer.late for viewer in self.viewers.values() if viewer.late]
        lost = [viewer.stream.lost for viewer in self.viewers.values() if viewer.stream.lost]
        return {
            "frames": len(self.late_s),
            "late_p99_ms": sorted_s[int(len(sorted_s) * 0.99)] * 1000,
            "closed": self.closed,
            "late": sum(late), "late_viewers": len(late), "lost": sum(lost), "losers": len(lost),
            "busy": self._busy_s / max(1e-9, time.monotonic() - self._marked_s),
        }  # fmt: skip

    def turn(self, timeout_s: float) -> bool:
        """Reads what has come; True when an order waits on stdin."""
        ordered = False
        events = self._poll.poll(timeout_s)
        began_s = time.monotonic()
        for number, _ in events:
            if number == 0:
                ordered = True
            else:
                self._read(self.viewers[number])
        self._busy_s += time.monotonic() - began_s
        return ordered

    def listen_for_orders(self) -> None:
        """From now on `turn` tells of stdin too."""
        self._poll.register(0, select.EPOLLIN)

    def _connect(self, port: int, path: str) -> None:
        connection = socket.create_connection(("127.0.0.1", port))
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(REQUEST.format(path=path).encode())
        connection.setblocking(False)
        self.viewers[connection.fileno()] = Viewer(connection)
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, viewer: Viewer) -> None:
        try:
            size = viewer.socket.recv_into(self._buffer)
        except ssl.SSLWantReadError:
            return
        except OSError:
            size = 0
        if size == 0:
            self._poll.unregister(viewer.socket.fileno())
            self.closed += 1
            return
        at = 0 if viewer.answer is None else self._answer(viewer, size)
        stream, began = viewer.stream, viewer.stream.messages
        for due_s in stream.take(self._view[at:size]):
            late_s = time.monotonic() - due_s
            self.late_s.append(late_s)
            viewer.late += late_s > LATE_S
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


def _trusting() -> ssl.SSLContext:
    """Whatever certificate this machine shows itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def main() -> None:
    """Runs until the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    load = Load(options["viewers"], tls=options.get("tls", False))
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
        else:
            print(json.dumps(load.report()), flush=True)


if __name__ == "__main__":
    main()
