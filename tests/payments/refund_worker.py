"""A worker that dies at the worst moment: `python -m tests.payments.refund_worker STORE_URL SANDBOX_URL ORDER MOMENT`.

MOMENT is `asked` (the refund is about to be asked for) or `answered` (the provider has answered, nothing is written).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from livesale.kernel.money import Money
from livesale.payments.provider import Attempt
from livesale.payments.refunding import RefundReactions
from livesale.payments.sandbox import SandboxProvider
from livesale.store.valkey import connect
from tests.support.sandbox import SECRET_KEY


class Deadly(SandboxProvider):
    """Kills its own process at the given moment of a refund."""

    moment = ""

    async def refund(self, key: str, provider_id: str, amount: Money) -> Attempt:
        if self.moment == "answered":
            await super().refund(key, provider_id, amount)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


async def main(store_url: str, sandbox_url: str, order: str, moment: str) -> None:
    """One step of one order's refunds, the last of this process."""
    provider = Deadly(sandbox_url, SECRET_KEY)
    provider.moment = moment
    await RefundReactions(await connect(store_url), provider).go_on(order)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
