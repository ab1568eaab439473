"""The floor of `bench fanout`: the same frames to the same readers by a bare loop of write(2), and nothing else.

What it leaves out is what a hub is for: tickets, events, joins, slow viewers. Speaks like `bench.source`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time

from livesale.bench.pace import STAMP, Pace, open_many_files
from livesale.hub.wire import media_frame, websocket_binary
from livesale.media.ring import Fragment

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def accept(listener: socket.socket, viewers: int) -> list[int]:
    """`viewers` connections, each answered, none read any more; their file descriptors."""
    accepted = []
    for _ in range(viewers):
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(ANSWER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        accepted.append(connection.detach())
    return accepted


def write_all(viewers: list[int], frame: bytes, owed: dict[int, bytes]) -> None:
    """One frame to every viewer; what a socket does not take is owed and goes before its next frame."""
    write = os.write
    for viewer in viewers:
        data = owed.pop(viewer, b"") + frame if viewer in owed else frame
        try:
            taken = write(viewer, data)
        except BlockingIOError:
            taken = 0
        except OSError:
            continue
        if taken < len(data):
            owed[viewer] = data[taken:] if len(data) < 4 * len(frame) else data[taken : 2 * len(frame)]


def main() -> None:
    """Runs until `stop` or the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    viewers = accept(listener, options["viewers"])
    padding = bytes(options["frame_bytes"] - STAMP.size)
    owed: dict[int, bytes] = {}
    pace: Pace | None = None
    while True:
        wait_s = None if pace is None else max(0.0, pace.next_s - time.monotonic())
        if select.select([sys.stdin.fileno()], [], [], wait_s)[0]:
            order = os.read(sys.stdin.fileno(), 100).decode().strip()
            if order in ("", "stop"):
                return
            pace = Pace(options["frames_per_s"]) if order == "begin" else None
        elif pace is not None:
            fragment = Fragment(1, False, 0, 0, 0, STAMP.pack(pace.take()) + padding)
            write_all(viewers, websocket_binary(media_frame([fragment])), owed)


if __name__ == "__main__":
    main()
