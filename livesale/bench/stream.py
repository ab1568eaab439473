"""A stream as the load generator reads it: where messages and fragments begin, and the stamp of each whole fragment.

It looks at beginnings only and steps over the rest, so that one core reads what hundreds of viewers get.
"""

from __future__ import annotations

from collections.abc import Iterator

from livesale.bench.pace import LEAST_BYTES, STAMP_AT, STAMP_BYTES, due_s_of
from livesale.hub.wire import FRAGMENT_HEADER_BYTES, MEDIA

BINARY = 0x82
_SEQUENCE_AT = 4
_LENGTH_AT = FRAGMENT_HEADER_BYTES - 4
_STAMP_AT = FRAGMENT_HEADER_BYTES + STAMP_AT
_FRAGMENT_HEAD = FRAGMENT_HEADER_BYTES + LEAST_BYTES
_MESSAGE_HEAD = 10 + 1


class Stream:
    """One viewer's bytes. `messages`: how many have begun; `lost`: pictures missing between two that came."""

    __slots__ = ("_due_s", "_head", "_message", "_sequence", "_skip", "lost", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.lost = 0
        self._sequence = -1
        self._head = b""  # of a message or fragment whose beginning is not all here
        self._message = 0  # bytes of the current media message behind what has been looked at
        self._skip = 0
        self._due_s = 0.0

    def take(self, data: memoryview) -> Iterator[float]:
        """The next bytes; gives the stamp of each fragment that is whole with them."""
        at, size = 0, len(data)
        while at < size:
            if self._skip:
                step = min(self._skip, size - at)
                self._skip -= step
                at += step
                if not self._skip and self._due_s:
                    yield self._due_s
                    self._due_s = 0.0
                continue
            before = len(self._head)
            wanted = _FRAGMENT_HEAD if self._message else _MESSAGE_HEAD
            head = self._head + bytes(data[at : at + wanted - before])
            used = self._fragment(head) if self._message else self._begin(head)
            if not used:
                self._head = head
                return
            self._head = b""
            at += used - before

    def _begin(self, head: bytes) -> int:
        """Bytes of a message's beginning; 0 when it is not all here."""
        if len(head) < 2:
            return 0
        short = head[1] & 0x7F
        size = 2 if short < 126 else 4 if short == 126 else 10
        if len(head) < size:
            return 0
        length = short if short < 126 else int.from_bytes(head[2:size], "big")
        if head[0] == BINARY and len(head) == size:
            return 0
        self.messages += 1
        if head[0] == BINARY and head[size] == MEDIA:
            self._message = length - 1
            return size + 1
        self._skip = length
        return size

    def _fragment(self, head: bytes) -> int:
        """Bytes of a fragment's beginning; 0 when it is not all here."""
        if len(head) < _FRAGMENT_HEAD:
            return 0
        length = FRAGMENT_HEADER_BYTES + int.from_bytes(head[_LENGTH_AT:FRAGMENT_HEADER_BYTES], "big")
        sequence = int.from_bytes(head[_SEQUENCE_AT : _SEQUENCE_AT + 4], "big")
        if 0 <= self._sequence < sequence:
            self.lost += sequence - self._sequence - 1
        self._sequence = sequence
        self._due_s = due_s_of(head[_STAMP_AT : _STAMP_AT + STAMP_BYTES])
        self._skip = length - _FRAGMENT_HEAD
        self._message -= length
        if self._skip < 0:
            raise ValueError("a fragment that is none of ours")
        return _FRAGMENT_HEAD
