"""The buyers of `bench orders`: bare keep-alive sockets and epoll; a connection asks again when it has its answer.

Speaks lines of JSON: reads `{host, port, connections}`, then for each round `{show, offer, tokens, seconds, whole, per_s}`
(one order for each token, none a second time; whole: it is checked out and paid, too; per_s: so many begin each second,
whatever becomes of those before) and prints what came of it.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import select
import socket
import sys
import time
from collections import Counter, deque
from typing import Any

from livesale.apps.process import open_many_files

CHUNK = 64 << 10
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_ORDER = re.compile(rb'"id":"(o_[^"]+)"')
_CODE = re.compile(rb'"code":"([a-z_]+)"')
_TOTAL = re.compile(rb'"total":(\{[^}]+\})')
_STATE = re.compile(rb'"state":"([a-z_]+)"')
_TO = b'{"name":"Bench","street":"Weg 1","postal_code":"10115","city":"Berlin","country":"DE"}'


class Buyer:
    """A connection, what it asked, what has arrived of its answer, and when it began with this order."""

    __slots__ = ("asked", "asked_s", "head", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = b""
        self.asked = b""
        self.asked_s: float | None = None


class Round:
    """What one round of orders came to."""

    def __init__(self, requests: list[bytes]) -> None:
        self.waiting = deque(requests)
        self.open = 0
        self.ids: list[str] = []
        self.took_s: list[float] = []
        self.refused: Counter[str] = Counter()  # by the problem's code
        self.errors = 0
        self.began_s = time.monotonic()
        self.last_accepted_s = self.began_s
        self.ends_s = math.inf
        self.step_s = 0.0  # between two orders' due times; 0: the next begins when one is answered
        self.begun = 0

    def due_s(self) -> float:
        """When the next order is due. A late one counts from here: who is kept waiting at the door waits, too."""
        return self.began_s + self.begun * self.step_s

    def answered(self, asked: bytes, answer: bytes, took_s: float) -> bytes | None:
        """Counts one answer; what the same connection asks next, if this order is not through."""
        status = answer[9:12]
        if status == b"201" and (found := _ORDER.search(answer)):
            return self._held(asked, answer, found[1].decode(), took_s)
        if status == b"409" and (code := _CODE.search(answer)):
            self.refused[code[1].decode()] += 1
        else:
            self.errors += 1
        return None

    def _held(self, _asked: bytes, _answer: bytes, order: str, took_s: float) -> bytes | None:
        self._accepted(order, took_s)
        return None

    def _accepted(self, order: str, took_s: float) -> None:
        self.ids.append(order)
        self.took_s.append(took_s)
        self.last_accepted_s = time.monotonic()

    def report(self) -> dict[str, Any]:
        """The figures of this round."""
        took = sorted(self.took_s) or [0.0]
        return {
            "ids": self.ids,
            "refused": self.refused,
            "errors": self.errors,
            "unasked": len(self.waiting),
            "wall_s": time.monotonic() - self.began_s,
            "seconds": self.last_accepted_s - self.began_s,
            "p50_ms": took[len(took) // 2] * 1000,
            "p99_ms": took[int(len(took) * 0.99)] * 1000,
        }


class Whole(Round):
    """Orders to their end: held, checked out, paid; `took_s` is all of it."""

    def answered(self, asked: bytes, answer: bytes, took_s: float) -> bytes | None:
        """Counts an order when it is paid; until then says what to ask next."""
        state = _STATE.search(answer)
        if answer[9:12] != b"200" or state is None:
            return super().answered(asked, answer, took_s)
        order = asked.split(b" ", 2)[1].split(b"/")[4].decode()
        if state[1] == b"awaiting_payment" and time.monotonic() < self.ends_s:
            return _call("GET", f"/orders/{order}", asked)
        if state[1] == b"paid":
            self._accepted(order, took_s)
        else:
            self.errors += 1
        return None

    def _held(self, asked: bytes, answer: bytes, order: str, took_s: float) -> bytes | None:
        total = _TOTAL.search(answer)
        assert total is not None, "an order has a total"
        body = b'{"ship_to":%s,"payment":{"method":"card","token":"pm_ok"},"price_total":%s}' % (_TO, total[1])
        return _call("POST", f"/orders/{order}/checkout", asked, body)


class Buyers:
    """All connections."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        self._host, self._port = host, port
        self._poll = select.epoll()
        self._buyers: dict[int, Buyer] = {}
        self._idle: deque[Buyer] = deque()
        for _ in range(connections):
            self._connect()

    def run(
        self, show: str, offer: str, tokens: list[str], seconds: float, whole: bool = False, per_s: int = 0
    ) -> Round:
        """One order for each token, as fast as answers come or `per_s`, for at most `seconds`."""
        requests = [self._request(show, offer, token) for token in tokens]
        now = (Whole if whole else Round)(requests)
        now.ends_s, now.step_s = now.began_s + seconds, 1 / per_s if per_s else 0.0
        self._idle = deque(self._buyers.values())
        while now.open or (now.waiting and time.monotonic() < now.ends_s):
            self._begin(now)
            until_due_s = now.due_s() - time.monotonic() if now.waiting and self._idle else 1.0
            for number, _ in self._poll.poll(max(0.0, until_due_s)):
                self._read(self._buyers[number], now)
        return now

    def _begin(self, now: Round) -> None:
        """Let those orders begin that are due and have a connection."""
        moment_s = time.monotonic()
        while self._idle and now.waiting and moment_s < now.ends_s and now.due_s() <= moment_s:
            self._ask(self._idle.popleft(), now, now.due_s() if now.step_s else moment_s)

    def _connect(self) -> Buyer:
        buyer = Buyer(self._host, self._port)
        self._buyers[buyer.socket.fileno()] = buyer
        self._poll.register(buyer.socket.fileno(), select.EPOLLIN)
        return buyer

    def _request(self, show: str, offer: str, token: str) -> bytes:
        body = json.dumps({"lines": [{"offer": offer, "quantity": 1}]}).encode()
        head = f" \r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\n"
        return _call("POST", f"/shows/{show}/orders", head.encode(), body)

    def _ask(self, buyer: Buyer, now: Round, asked_s: float) -> None:
        buyer.asked_s, buyer.asked = asked_s, now.waiting.popleft()
        buyer.socket.sendall(buyer.asked)
        now.open += 1
        now.begun += 1

    def _read(self, buyer: Buyer, now: Round) -> None:
        data = buyer.socket.recv(CHUNK)
        if not data or buyer.asked_s is None:
            self._lost(buyer, now)
            return
        buyer.head += data
        end = buyer.head.find(b"\r\n\r\n")
        if end < 0 or len(buyer.head) < end + 4 + _length(buyer.head[:end]):
            return
        follows = now.answered(buyer.asked, buyer.head, time.monotonic() - buyer.asked_s)
        buyer.head = b""
        if follows is not None:
            buyer.asked = follows
            buyer.socket.sendall(follows)
            return
        buyer.asked_s = None
        now.open -= 1
        self._idle.append(buyer)

    def _lost(self, buyer: Buyer, now: Round) -> None:
        """A connection that ends without an answer is an error; another takes its place."""
        if buyer.asked_s is not None:
            now.errors += 1
            now.open -= 1
        self._poll.unregister(buyer.socket.fileno())
        del self._buyers[buyer.socket.fileno()]
        buyer.socket.close()
        self._idle.append(self._connect())


def _call(method: str, path: str, like: bytes, body: bytes = b"") -> bytes:
    """A call to `path` by whoever made the call `like`."""
    who = like.split(b"\r\n", 3)
    key = f"Idempotency-Key: {secrets.token_hex(12)}\r\nContent-Type: application/json\r\n"
    head = f"{method} /api/v1{path} HTTP/1.1\r\n".encode() + who[1] + b"\r\n" + who[2] + b"\r\n" + key.encode()
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


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
        came = buyers.run(**wanted)
        print(json.dumps(came.report() | {"cpu_s": time.process_time() - began_s}), flush=True)


if __name__ == "__main__":
    main()
