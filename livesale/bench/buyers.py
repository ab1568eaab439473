"""The buyers of `bench orders`: bare keep-alive sockets and epoll; a connection asks again when it has its answer.

Speaks lines of JSON: reads `{host, port, connections}`, then for each round `{show, offer, tokens, seconds}` (one
order for each token, none a second time) and prints what came of it.
"""

from __future__ import annotations

import json
import re
import secrets
import select
import socket
import sys
import time
from collections import deque
from typing import Any

from livesale.apps.process import open_many_files

CHUNK = 64 << 10
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_ORDER = re.compile(rb'"id":"(o_[^"]+)"')


class Buyer:
    """A connection, what has arrived of its answer, and when it asked."""

    __slots__ = ("asked_s", "head", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = b""
        self.asked_s: float | None = None


class Round:
    """What one round of orders came to."""

    def __init__(self, requests: list[bytes]) -> None:
        self.waiting = deque(requests)
        self.open = 0
        self.ids: list[str] = []
        self.took_s: list[float] = []
        self.refused: dict[str, int] = {}
        self.errors = 0
        self.began_s = time.monotonic()
        self.last_accepted_s = self.began_s

    def answered(self, answer: bytes, took_s: float) -> None:
        """Counts one answer."""
        status = answer[9:12]
        if status == b"201" and (found := _ORDER.search(answer)):
            self.ids.append(found[1].decode())
            self.took_s.append(took_s)
            self.last_accepted_s = time.monotonic()
        elif status == b"409":
            self.refused["409"] = self.refused.get("409", 0) + 1
        else:
            self.errors += 1

    def report(self) -> dict[str, Any]:
        """The figures of this round."""
        took = sorted(self.took_s) or [0.0]
        return {
            "ids": self.ids,
            "refused": self.refused.get("409", 0),
            "errors": self.errors,
            "unasked": len(self.waiting),
            "wall_s": time.monotonic() - self.began_s,
            "seconds": self.last_accepted_s - self.began_s,
            "p50_ms": took[len(took) // 2] * 1000,
            "p99_ms": took[int(len(took) * 0.99)] * 1000,
        }


class Buyers:
    """All connections."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        self._host, self._port = host, port
        self._poll = select.epoll()
        self._buyers: dict[int, Buyer] = {}
        for _ in range(connections):
            self._connect()

    def run(self, show: str, offer: str, tokens: list[str], seconds: float) -> Round:
        """One order for each token, as fast as answers come, for at most `seconds`."""
        now = Round([self._request(show, offer, token) for token in tokens])
        ends_s = now.began_s + seconds
        for buyer in list(self._buyers.values()):
            self._ask(buyer, now)
        while now.open:
            for number, _ in self._poll.poll(1.0):
                self._read(self._buyers[number], now, time.monotonic() < ends_s)
        return now

    def _connect(self) -> Buyer:
        buyer = Buyer(self._host, self._port)
        self._buyers[buyer.socket.fileno()] = buyer
        self._poll.register(buyer.socket.fileno(), select.EPOLLIN)
        return buyer

    def _request(self, show: str, offer: str, token: str) -> bytes:
        body = json.dumps({"lines": [{"offer": offer, "quantity": 1}]}).encode()
        head = (
            f"POST /api/v1/shows/{show}/orders HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\n"
            f"Idempotency-Key: {secrets.token_hex(12)}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _ask(self, buyer: Buyer, now: Round) -> None:
        if now.waiting:
            buyer.asked_s = time.monotonic()
            buyer.socket.sendall(now.waiting.popleft())
            now.open += 1

    def _read(self, buyer: Buyer, now: Round, more: bool) -> None:
        data = buyer.socket.recv(CHUNK)
        if not data or buyer.asked_s is None:
            self._lost(buyer, now)
            return
        buyer.head += data
        end = buyer.head.find(b"\r\n\r\n")
        if end < 0 or len(buyer.head) < end + 4 + _length(buyer.head[:end]):
            return
        now.answered(buyer.head, time.monotonic() - buyer.asked_s)
        buyer.head, buyer.asked_s = b"", None
        now.open -= 1
        if more:
            self._ask(buyer, now)

    def _lost(self, buyer: Buyer, now: Round) -> None:
        """A connection that ends without an answer is an error; another takes its place."""
        if buyer.asked_s is not None:
            now.errors += 1
            now.open -= 1
        self._poll.unregister(buyer.socket.fileno())
        del self._buyers[buyer.socket.fileno()]
        buyer.socket.close()
        self._ask(self._connect(), now)


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def main() -> None:
    """Runs rounds until the end of stdin."""
    open_many_files()
    options = json.loads(sys.stdin.readline())
    buyers = Buyers(options["host"], options["port"], options["connections"])
    while line := sys.stdin.readline():
        wanted = json.loads(line)
        began_s = time.process_time()
        came = buyers.run(wanted["show"], wanted["offer"], wanted["tokens"], wanted["seconds"])
        print(json.dumps(came.report() | {"cpu_s": time.process_time() - began_s}), flush=True)


if __name__ == "__main__":
    main()
