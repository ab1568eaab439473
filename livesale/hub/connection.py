"""One connection of the hub: the `websockets` connection minus what a one-way fan-out does not need.

`websockets` does handshake, frame parsing, pongs and closes; this file gives incoming messages, readiness and the
end to a receiver at once, without a queue or task of their own, and closes without ever waiting for the socket.
Law: nothing is written to a transport once the connection is not open (`receiver.gone` comes first).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

from websockets.asyncio.messages import Assembler
from websockets.asyncio.server import ServerConnection
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import OPEN

BYE = 4000
TICKET_REFUSED = 4001
ORIGIN_REFUSED = 4003
TOO_SLOW = 4008
SHOW_ENDED = 4010
MOVED = 4011
TOO_MANY = 4429
MALFORMED = 1003
FLOOD = 1008

SHARED_PING = b"\x89\x00"
UNLIMITED = 0x7FFFFFFF
SLICE_BYTES = 32 << 10


class Listener(Protocol):
    """Who is told what happens on a connection."""

    def take(self, data: bytes) -> None:
        """A binary message came."""

    def socket_blocked(self) -> None:
        """The transport did not hand all of it to the kernel."""

    def socket_ready(self) -> None:
        """The transport holds nothing any more."""

    def alive(self) -> None:
        """Bytes came."""

    def gone(self) -> None:
        """The connection is closing or closed: write nothing more."""


class HubConnection(ServerConnection):
    """A connection whose messages go to `listener`; `close_ms` bounds the closing handshake."""

    __slots__ = ("_cut", "_partial", "close_ms", "listener")  # its dict stays one size smaller: 1 KiB a viewer

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.listener: Listener | None = None
        self.close_ms = 10_000
        self._partial = b""
        self._cut: asyncio.TimerHandle | None = None

    def slim_down(self, no_messages: Assembler) -> None:
        """Lets go of what only the handshake and the library's own reading and writing need: 5 KiB a viewer.

        `no_messages` is one queue for all: messages never go through it.
        """
        assert self.request is not None
        self.request.headers.clear()  # in place: the parser holds on to the request itself
        self.request.path = ""
        self.response = None
        self.recv_messages = no_messages
        self.drain_waiters = []  # type: ignore[assignment]  # an empty deque has 760 bytes

    def is_open(self) -> bool:
        """Whether frames may still be written."""
        return self.protocol.state is OPEN

    def writer(self) -> Callable[[bytes], None]:
        """What writes frames. A viewer's TLS keeps a buffer of its largest write for good: it gets slices of what is long."""
        write: Callable[[bytes], None] = self.transport.write
        return partial(_sliced, write) if self.transport.get_extra_info("sslcontext") else write

    def own_descriptor(self) -> int:
        """Another descriptor of this socket, for the caller to close: its number is no other connection's before that, whenever
        the transport closes its own. -1: only the transport may write (TLS; it holds something; none can be had)."""
        transport = self.transport
        raw: socket.socket | None = transport.get_extra_info("socket")
        busy = transport.is_closing() or transport.get_write_buffer_size()
        if raw is None or busy or transport.get_extra_info("sslcontext"):
            return -1
        try:
            return os.dup(raw.fileno())
        except OSError:
            return -1

    def limit_unsent(self, unsent_bytes: int) -> None:
        """The kernel takes no more than this ahead of the network: what waits, waits here, where it is seen."""
        raw: socket.socket | None = self.transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent_bytes)

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """What comes meanwhile stays with the kernel."""
        with contextlib.suppress(RuntimeError):  # a transport that is gone already
            self.transport.pause_reading()
        yield
        with contextlib.suppress(RuntimeError):
            self.transport.resume_reading()

    def finish(self, code: int, reason: str = "") -> None:
        """Closes with `code`, without waiting; cuts the connection when the other side does not answer in time."""
        if self.protocol.state is OPEN:
            self.protocol.send_close(code, reason)
            self._write_out()
            self.limit_unsent(UNLIMITED)  # so that the close frame reaches a viewer that starts to read again late
        self._closing()

    def process_event(self, event: Any) -> None:
        """Handshake and control frames as ever, messages straight to the listener."""
        if isinstance(event, Frame) and event.opcode in (TEXT, BINARY, CONT):
            self._take(event)
        else:
            super().process_event(event)

    def data_received(self, data: bytes) -> None:
        """As ever; then whoever writes hears if this ended the connection."""
        if self.listener is not None:
            self.listener.alive()
        super().data_received(data)
        if self.listener is not None and self.protocol.state is not OPEN:
            self._closing()

    def eof_received(self) -> None:
        """As ever; then whoever writes hears of the end."""
        super().eof_received()
        self._closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """As ever, and the cut is not needed."""
        super().connection_lost(exc)
        self._closing()
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

    def pause_writing(self) -> None:
        """As ever, and the listener holds back."""
        super().pause_writing()
        if self.listener is not None:
            self.listener.socket_blocked()

    def resume_writing(self) -> None:
        """As ever, and the listener goes on."""
        super().resume_writing()
        if self.listener is not None:
            self.listener.socket_ready()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is TEXT:
            self.finish(MALFORMED, "binary messages only")
            return
        self._partial = self._partial + frame.data if self._partial else bytes(frame.data)
        if frame.fin:
            data, self._partial = self._partial, b""
            if self.listener is not None and self.protocol.state is OPEN:
                self.listener.take(data)

    def _closing(self) -> None:
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.gone()
        if self._cut is None and not self.connection_lost_waiter.done():
            self._cut = self.loop.call_later(self.close_ms / 1000, self.transport.abort)

    def _write_out(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # a transport that is gone already
            self.send_data()


def _sliced(write: Callable[[bytes], None], data: bytes) -> None:
    for start in range(0, len(data), SLICE_BYTES):
        write(data[start : start + SLICE_BYTES])
