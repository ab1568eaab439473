"""Current values: of what is named by (type, key) only the newest counts, packed. Pure.

Law: whoever joins, or was behind, gets all of them in one frame that is made once for each position.
"""

from __future__ import annotations

from livesale.hub.wire import events_frame, websocket_binary


class Current:
    """The `latest` events of one show; false while there are none."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], bytes] = {}
        self._changed: set[tuple[str, str]] = set()
        self._frame: tuple[int, bytes] | None = None

    def __bool__(self) -> bool:
        return bool(self._values)

    def keep(self, type: str, key: str, event: bytes) -> None:
        """A value that has been told to everyone already; for joiners."""
        self._values[type, key] = event
        self._frame = None

    def change(self, type: str, key: str, event: bytes) -> None:
        """A value that nobody has been told of."""
        self.keep(type, key, event)
        self._changed.add((type, key))

    def has_changed(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._changed)

    def take_changed(self) -> list[bytes]:
        """What there is to tell; it counts as told."""
        values = [self._values[name] for name in self._changed]
        self._changed.clear()
        return values

    def values(self) -> list[bytes]:
        """All of them."""
        return list(self._values.values())

    def frame(self, sent: int) -> bytes:
        """All of them in one frame, for a viewer whose public frames stand at `sent`."""
        if self._frame is None or self._frame[0] != sent:
            self._frame = sent, websocket_binary(events_frame(sent, sent, self._values.values()))
        return self._frame[1]

    def clear(self) -> None:
        """The log begins anew: none of them is known any more."""
        self._values.clear()
        self._changed.clear()
        self._frame = None
