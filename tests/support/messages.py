"""HTTP as bytes: one message off a stream, whole, for tests that cut connections where it hurts."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_KEY = re.compile(rb"(?i)\r\nidempotency-key: *([^\r]+)")


@dataclass(frozen=True)
class Message:
    """A request or an answer with a content-length, as it went over the wire."""

    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """All of it."""
        return self.head + self.body

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.head[9:12])

    @property
    def key(self) -> str:
        """A request's Idempotency-Key; empty when it has none."""
        found = _KEY.search(self.head)
        return found[1].decode() if found else ""

    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


async def read_message(stream: asyncio.StreamReader) -> Message:
    """The next message; IncompleteReadError or OSError when the connection ends before it does."""
    head = await stream.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return Message(head, await stream.readexactly(int(length[1]) if length else 0))


def post(path: str, token: str, key: str, body: Any) -> bytes:
    """A POST as it goes over the wire."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent
