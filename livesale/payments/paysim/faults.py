"""Bad days on order: what may go wrong between the sandbox and its merchant, drawn from one seed. Off by
default.

Faults never touch the book: they lose answers and disturb webhooks, as networks do, and nothing else.
"""

from __future__ import annotations

import random

import msgspec

CALLS = ("before_effect", "after_effect", "timeout", "before_kept", "after_kept")
SHARES = (*CALLS, "webhook_twice", "webhook_late")


class FaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of calls from 0 to 1.

    `before_effect`: 500 and nothing done; `after_effect`: done, then 500; `timeout`: done, then no answer for
    `timeout_s`; `before_kept`, `after_kept`: as the first two, and the 500 is replayed for that key ever after, as
    Stripe does; `webhook_twice`: the event is delivered twice; `webhook_late`: it is held back up to `late_ms`, so
    that later ones overtake it.
    """

    seed: int = 0
    before_effect: float = 0.0
    after_effect: float = 0.0
    timeout: float = 0.0
    timeout_s: float = 30.0
    before_kept: float = 0.0
    after_kept: float = 0.0
    webhook_twice: float = 0.0
    webhook_late: float = 0.0
    late_ms: int = 2_000

    def __post_init__(self) -> None:
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1")


class Faults:
    """Draws, in the order of calls, what goes wrong."""

    def __init__(self, settings: FaultSettings) -> None:
        self.settings = settings
        self._calls = random.Random(f"calls {settings.seed}")
        self._webhooks = random.Random(f"webhooks {settings.seed}")

    def of_call(self) -> str | None:
        """One of CALLS, or None, for the next call."""
        drawn = self._calls.random()
        for name in CALLS:
            drawn -= getattr(self.settings, name)
            if drawn < 0:
                return name
        return None

    def of_webhook(self) -> tuple[int, int]:
        """(copies, milliseconds held back) of the next webhook."""
        copies = 2 if self._webhooks.random() < self.settings.webhook_twice else 1
        late = self._webhooks.random() < self.settings.webhook_late
        return copies, self._webhooks.randint(1, self.settings.late_ms) if late else 0
