"""Attempts: how often a password may be guessed, by account and by address; pure, bounded in memory."""

from __future__ import annotations

from collections import OrderedDict, deque

from livesale.kernel.clock import MINUTE_MS
from livesale.kernel.refusals import Refusal

FAILURES = 10
WINDOW_MS = 15 * MINUTE_MS
MOST_KEYS = 50_000


class Attempts:
    """Failures within the last WINDOW_MS, for every key that had one."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[int]] = OrderedDict()

    def check(self, key: str, now_ms: int) -> None:
        """Refused (`rate_limited`) after FAILURES in a row within the window."""
        failures = self._failures.get(key)
        if failures is None:
            return
        while failures and failures[0] <= now_ms - WINDOW_MS:
            failures.popleft()
        if len(failures) >= FAILURES:
            wait_s = -((now_ms - failures[0] - WINDOW_MS) // 1000)
            raise Refusal("rate_limited", "Too many failed attempts. Try again later.", retry_after_s=wait_s)

    def failed(self, key: str, now_ms: int) -> None:
        """Count a failure."""
        self._failures.setdefault(key, deque(maxlen=FAILURES)).append(now_ms)
        self._failures.move_to_end(key)
        if len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """The right one came: forget the failures."""
        self._failures.pop(key, None)
