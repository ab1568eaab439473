"""The load of the crash tests: buyers who hold and check out at a modest rate and keep their own list of what they
were told. That list is the judge, not the server's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.crashes.system import System, call

PER_S = 100
SHIP_TO = {"name": "A", "street": "B 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
TRY_AGAIN = {0, 429, 502, 503}
LEGAL_AFTER = {  # what an order may be once things have settled, by the last thing its buyer was told
    "held": {"held", "paid", "payment_failed", "cancelled"},
    "awaiting_payment": {"paid", "payment_failed"},
    "paid": {"paid"},
    "payment_failed": {"payment_failed"},
    "cancelled": {"cancelled"},
}


@dataclass
class Buyers:
    """Runs buyers in turn on one show until `stop`; `told` is each acknowledged order's last known state."""

    system: System
    show: str
    offers: list[str]
    told: dict[str, str] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    unexpected: list[tuple[str, int, Any]] = field(default_factory=list)
    last_hold: float = 0.0
    rate: float = PER_S
    patience: int = 400  # how often an act is tried again while nobody answers
    _stopping: bool = False
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Start a buyer every `1 / rate` s, as long as buyers are free."""
        free = [name for name in self.system.tokens if name.startswith("buyer")]
        turn = 0
        while not self._stopping:
            if free:
                task = asyncio.create_task(self._buy(session, free.pop(0), turn, free))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                turn += 1
            await asyncio.sleep(1 / self.rate)

    async def stop(self) -> None:
        """No new buyer; those under way come to their end."""
        self._stopping = True
        await asyncio.gather(*self._under_way)

    @staticmethod
    def is_legal(told: str, found: str) -> bool:
        """Whether an order may be `found` now, when its buyer was last told the other."""
        return found in LEGAL_AFTER[told]

    async def _buy(self, session: aiohttp.ClientSession, name: str, turn: int, free: list[str]) -> None:
        try:
            await self._order(session, name, turn)
        finally:
            free.append(name)

    async def _order(self, session: aiohttp.ClientSession, name: str, turn: int) -> None:
        line = {"offer": self.offers[turn % len(self.offers)], "quantity": 1 + turn % 2}
        status, order = await self._ask(
            session, name, "hold", f"{self.system.api}/shows/{self.show}/orders", {"lines": [line]}
        )
        if status != 201:
            return
        self.told[order["id"]], self.owner[order["id"]] = order["state"], name
        self.totals[order["id"]] = order["total"]["amount"]
        self.last_hold = time.monotonic()
        where = f"{self.system.api}/orders/{order['id']}"
        if turn % 10 == 9:  # some only look
            return
        if turn % 10 == 8:
            status, order = await self._ask(session, name, "cancel", f"{where}/cancel", None)
        else:
            token = "pm_declined" if turn % 10 == 7 else "pm_ok"
            pay = {
                "ship_to": SHIP_TO, "payment": {"method": "card", "token": token}, "price_total": order["total"],
            }  # fmt: skip
            status, order = await self._ask(session, name, "checkout", f"{where}/checkout", pay)
        if status == 200:
            self.told[order["id"]] = order["state"]

    async def _ask(self, session: aiohttp.ClientSession, name: str, act: str, url: str, body: Any) -> tuple[int, Any]:
        """One act of a buyer under one key, again until it is answered."""
        key = secrets.token_hex(12)
        for _ in range(self.patience + 1):
            status, answer = await call(session, "POST", url, self.system.tokens[name], body, key)
            self.answers[act, status] += 1
            if status in TRY_AGAIN or (status == 409 and answer.get("code") == "in_progress"):
                await asyncio.sleep(0.1)
                continue
            if status not in (200, 201):
                self.unexpected.append((act, status, answer))
            return status, answer
        return 0, None
