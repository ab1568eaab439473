"""The slow viewers of `bench fanout --slow`: real TCP clients of which a third each never read, read at a tenth of the show's
rate, and read in every other second only.

Speaks lines of JSON: reads `{viewers: [[port, path], …], bytes_per_s}`, prints `{"connected": …}`, and answers `end` with how
many find 4008 when they read all there is at last.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from livesale.apps.process import open_many_files
from livesale.bench.load import REQUEST
from livesale.hub.connection import TOO_SLOW

STEP_S = 0.1
CHUNK = 256 << 10
WINDOW_BYTES = 64 << 10  # so that what is not read waits at the hub, as behind a thin line, and not in this machine's kernel
READ_AT_LAST_S = 2.0
TOO_SLOW_CLOSE = TOO_SLOW.to_bytes(2, "big") + b"too slow"


class Slow:
    """One of them; `tail`: the last bytes it has read."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(REQUEST.format(path=path).encode())
        self.socket.setblocking(False)
        self.tail = b""

    def read(self, most: int) -> None:
        """Up to `most` bytes of what has come."""
        while most > 0:
            try:
                data = self.socket.recv(min(most, CHUNK))
            except OSError:
                return
            if not data:
                return
            most -= len(data)
            self.tail = (self.tail + data)[-len(TOO_SLOW_CLOSE) :]

    def told(self, until_s: float) -> bool:
        """Reads to the end; whether that says why."""
        self.socket.settimeout(max(0.01, until_s - time.monotonic()))
        try:
            while data := self.socket.recv(CHUNK):
                self.tail = (self.tail + data)[-len(TOO_SLOW_CLOSE) :]
        except OSError:
            pass  # still connected, or reset behind the close
        return self.tail == TOO_SLOW_CLOSE


def main() -> None:
    """Runs until `end`."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    slow = [Slow(port, path) for port, path in options["viewers"]]
    tenth = max(1, int(options["bytes_per_s"] * STEP_S / 10))
    print(json.dumps({"connected": len(slow)}), flush=True)
    while not select.select([0], [], [], STEP_S)[0]:
        for viewer in slow[1::3]:
            viewer.read(tenth)
        if int(time.monotonic()) % 2:
            for viewer in slow[2::3]:
                viewer.read(sys.maxsize)
    ends_s = time.monotonic() + READ_AT_LAST_S
    print(json.dumps({"slow_closed": sum(viewer.told(ends_s) for viewer in slow)}), flush=True)


if __name__ == "__main__":
    main()
