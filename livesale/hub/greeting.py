"""Greetings: the first frames of a viewer — a welcome with the show's snapshot, then what it missed, or a resync.

Law: from the first frame on positions join without a gap; a snapshot older than the log is followed by what came since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from livesale.hub.history import History
from livesale.hub.wire import events_frame, packed, websocket_binary
from livesale.kernel.events import MUST

Snapshot = Callable[[], tuple[int, bytes]]
Personal = list[tuple[int, bytes]]  # (seq, packed event), oldest first


def from_snapshot(type: str, history: History, snapshot: Snapshot, fields: dict[str, Any]) -> list[bytes]:
    """A `welcome` or `resync` from the snapshot, and the public events since."""
    seq, show = snapshot()
    frames = [_frame(0, seq, [_greeting(type, seq, show, fields)])]
    if seq < history.head:
        begins = max(seq, history.floor)  # events that are gone show as a gap, and the viewer rejoins
        frames.append(_frame(begins, history.head, history.public_since(begins)))
    return frames


def resumed(
    after: int, tag: str, history: History, snapshot: Snapshot, personal: Personal | None, fields: dict[str, Any]
) -> list[bytes]:
    """A `welcome` that leaves the viewer at `after`, its owner's missed events, then everyone's."""
    _, show = snapshot()
    frames = [_frame(after, after, [_greeting("welcome", after, show, fields | {"resumed": True})])]
    mine = history.personal_since(after, tag) if personal is None else personal
    if mine:
        frames.append(_frame(after, after, [event for _, event in mine]))
    if after < history.head:
        frames.append(_frame(after, history.head, history.public_since(after)))
    return frames


def resync(history: History, snapshot: Snapshot, fields: dict[str, Any]) -> list[bytes]:
    """For one whose position says nothing here: the welcome every joiner gets first, then the `resync`."""
    seq, show = snapshot()
    welcome = _frame(0, seq, [_greeting("welcome", seq, show, fields)])
    return [welcome, *from_snapshot("resync", history, snapshot, fields)]


def _greeting(type: str, seq: int, show: bytes, fields: dict[str, Any]) -> bytes:
    return packed({"type": type, "seq": seq, "loss": MUST, "resumed": False, **fields, "show": msgspec.Raw(show)})


def _frame(after: int, upto: int, events: list[bytes]) -> bytes:
    return websocket_binary(events_frame(after, upto, events))
