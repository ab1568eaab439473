"""The floor of `bench fanout`: the same frames to the same readers by a bare loop of write(2), and nothing else.

What it leaves out is what a system is for: WHIP, tickets, events, joins, slow viewers. Speaks lines of JSON: reads
`{viewers, frame_bytes, frames_per_s}`, prints `{"port": …}`, then obeys `begin`, `pause` and the end of stdin.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time

from livesale.apps.process import open_many_files
from livesale.bench.pace import Pace, picture
from livesale.hub.wire import media_frame, websocket_binary
from livesale.media import fmp4
from livesale.media.frames import VIDEO
from livesale.media.ring import Fragment

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
WELCOME = b"\x82\x01\x01"


def accept(listener: socket.socket, viewers: int) -> list[int]:
    """`viewers` connections, each answered, none read any more; their file descriptors."""
    accepted = []
    for _ in range(viewers):
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(ANSWER + WELCOME)
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


def frame_of(frame_bytes: int, due_s: float) -> bytes:
    """The message a hub would send for a picture due at `due_s`."""
    sample = fmp4.video_sample([picture(frame_bytes, False, due_s)])
    fragment = Fragment(VIDEO, False, 0, 0, 0, fmp4.fragment(VIDEO, 0, 0, 0, False, sample))
    return websocket_binary(media_frame([fragment]))


def main() -> None:
    """Runs until the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    viewers = accept(listener, options["viewers"])
    owed: dict[int, bytes] = {}
    pace: Pace | None = None
    while True:
        wait_s = None if pace is None else max(0.0, pace.next_s - time.monotonic())
        if select.select([sys.stdin.fileno()], [], [], wait_s)[0]:
            order = os.read(sys.stdin.fileno(), 100).decode().strip()
            if not order:
                return
            pace = Pace(options["frames_per_s"]) if json.loads(order) == "begin" else None
        elif pace is not None:
            write_all(viewers, frame_of(options["frame_bytes"], pace.take()), owed)


if __name__ == "__main__":
    main()
