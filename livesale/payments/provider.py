"""The port to a payment provider: five acts and two questions, each answered by an `Attempt` that never
guesses.

Law: whatever is not a clear answer (a timeout, a reset, a 5xx, a call still running) is `unknown`. Nothing
may be concluded from it; the caller asks where the payment stands (`lookup`, `find`) or repeats the same act with the
same key, until the provider says what happened. A stored 500 is all that its key will ever answer, and nothing will be
done under it any more: that, and only that, is `REPLAYED`, and a new key is then safe once the act turns out not done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

from livesale.kernel.money import Money

REPLAYED = "replayed"
REPLAYED_HEADER = "Idempotent-Replayed"
NOT_MADE = "not_made"

State = Literal["authorised", "requires_action", "captured", "failed", "voided", "refunded", "unknown"]


class Attempt(msgspec.Struct, frozen=True):
    """What the provider answered to one act, or says about one payment.

    `state`: after an act, what that act came to (`failed`: it did not happen and will not under this key);
    after `lookup` and `find`, where the payment stands (`refunded` only when everything captured went
    back). `decline`: the provider's code when `failed` (`card_declined`, `over_refund`, …) and, when
    `unknown`, what stood in the way (`timeout`, REPLAYED, …). `amount`, `captured`, `refunded`,
    `disputed` are minor units of `currency` so far; `version` grows with every change of the payment, so a
    late webhook can be told from news. As JSON it is the payment as paysim speaks it (`id`,
    `decline_code`).
    """

    state: State
    provider_id: str = msgspec.field(default="", name="id")
    redirect_url: str | None = None
    decline: str | None = msgspec.field(default=None, name="decline_code")
    reference: str = ""
    currency: str = ""
    amount: int = 0
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    version: int = 0

    @property
    def known(self) -> bool:
        """Whether the provider has said what happened."""
        return self.state != "unknown"


class PaymentProvider(Protocol):
    """A provider. `key` names the act: stored before the call, the same for every repetition of it."""

    async def authorise(
        self, key: str, amount: Money, method: str, reference: str, return_url: str
    ) -> Attempt:
        """Reserve `amount`; → authorised, requires_action (send the buyer to `redirect_url`), failed or
        unknown.
        """
        ...

    async def capture(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """Take `amount` of what is authorised and let go of the rest; → captured, failed or unknown, or where the
        payment stands when it is past that.
        """
        ...

    async def void(self, key: str, provider_id: str) -> Attempt:
        """Let go of what is authorised; → voided, failed or unknown, or where the payment stands when it is past that."""
        ...

    async def refund(self, key: str, provider_id: str, amount: Money) -> Attempt:
        """Give back `amount` of what was captured; → refunded, failed or unknown. Of a key that is spent the provider
        is asked for the refund it made; unknown with NOT_MADE: there is none, and this key will never make it.
        """
        ...

    async def lookup(self, provider_id: str) -> Attempt:
        """Where a payment stands now; failed with `not_found` when the provider has no such payment."""
        ...

    async def find(self, reference: str) -> list[Attempt]:
        """All payments under our `reference`, oldest first; `[unknown]` when the provider could not be
        asked. May be a minute behind: none is no proof of none before that.
        """
        ...

    def payments(self, since_ms: int) -> AsyncIterator[list[Attempt]]:
        """Every payment made at or after `since_ms`, in pages; Refusal `store_unavailable` when the provider could
        not be asked.
        """
        ...
