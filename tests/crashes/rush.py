"""Buyers in a rush: bare sockets, hundreds of holds a second, every act again under its key until it is answered.

What they were told is kept: it is the judge, not the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from livesale.apps.running import read_running
from livesale.apps.wiring import Wiring
from livesale.bench import system as bench
from livesale.bench.cast import Cast
from tests.crashes.buyers import LEGAL_AFTER, SHIP_TO
from tests.crashes.system import System
from tests.support.losing import LosingProxy
from tests.support.messages import Message, post, read_message

PER_S = 400  # asked for; how many are acknowledged depends on who is dead
HOLDING, PAYING = 48, 48  # connections of those who hold, and of those who pay or cancel
PROXIED = 3  # one connection of so many goes by the proxy that loses answers
LOST = 0.1  # of the answers on it
STOCK = (200_000, 200_000, 300)  # the last offer is fought for
BUYERS = 5_000
NOT_ANSWERED = (429, 503)
ENDED = (OSError, asyncio.IncompleteReadError)
TRY_AGAIN_S = 0.05


@dataclass(frozen=True)
class Scene:
    """A live show, its offers, and the tokens of its buyers."""

    show: str
    offers: list[str]
    tokens: list[str]


@asynccontextmanager
async def casting(system: System) -> AsyncIterator[Cast]:
    """Who makes people and shows on a running system."""
    running = read_running(system.data)
    assert running
    async with Wiring(system.settings) as wiring:
        yield Cast(bench.System(system.settings, running, 0), wiring)


async def scene(system: System) -> Scene:
    """A new show with `STOCK` and buyers who have never bought."""
    async with casting(system) as cast:
        await cast.shop(sum(STOCK))
        stage = await cast.show("Kills", STOCK[0])
        offers = [(await cast.call("GET", f"/shows/{stage.show}"))["offers"][0]]
        for units in STOCK[1:]:
            wanted = {"product": offers[0]["product"], "price": offers[0]["price"], "quantity": units}
            offers.append(await cast.call("POST", f"/shows/{stage.show}/offers", wanted))
        people = await cast.people(BUYERS)
    return Scene(stage.show, [offer["id"] for offer in offers], [person.token for person in people])


@dataclass
class Told:
    """An acknowledged order: its last known state, whose it is, and what it is for."""

    state: str
    token: str
    total: dict[str, Any]
    offer: str
    quantity: int


@dataclass
class Rush:
    """Buys on `scene` while the context lasts, at `PER_S`."""

    system: System
    scene: Scene
    chance: random.Random
    orders: dict[str, Told] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    holds: int = 0
    paid: int = 0
    told_again: int = 0  # answers that were lost on the way and came again
    _stopping: bool = False
    _due_s: float = 0.0
    _bought: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        """Until `stop`; what was held for it is paid or cancelled to the end."""
        async with LosingProxy(self.system.port, self.chance, LOST) as proxy:
            self._proxy = proxy
            async with asyncio.TaskGroup() as group:
                paying = [group.create_task(self._pay(self._line(number))) for number in range(PAYING)]
                async with asyncio.TaskGroup() as holding:
                    for number in range(HOLDING):
                        holding.create_task(self._hold(self._line(number)))
                for _ in paying:
                    self._bought.put_nowait(None)

    def stop(self) -> None:
        """No new order; those under way come to their end."""
        self._stopping = True

    def _line(self, number: int) -> Line:
        proxied = number % PROXIED == 0
        return Line(self, self._proxy if proxied else None, self._proxy.port if proxied else self.system.port)

    async def _hold(self, line: Line) -> None:
        while not self._stopping:
            now_s = asyncio.get_running_loop().time()
            self._due_s = max(self._due_s + 1 / PER_S, now_s - 1)
            await asyncio.sleep(self._due_s - now_s)
            token, scarce = self.chance.choice(self.scene.tokens), self.chance.random() < 0.15
            offer = self.scene.offers[-1] if scarce else self.chance.choice(self.scene.offers[:-1])
            wanted = {"lines": [{"offer": offer, "quantity": self.chance.randint(1, 3)}]}
            answer = await line.ask("hold", f"/shows/{self.scene.show}/orders", token, wanted)
            if answer.status != 201:
                continue
            order = answer.json()
            if order["id"] in self.orders:
                self.wrong.append(f"{order['id']} was sold to two")
            self.orders[order["id"]] = Told(order["state"], token, order["total"], offer, wanted["lines"][0]["quantity"])
            self.holds += 1
            if scarce or self.chance.random() < 0.15:
                self._bought.put_nowait(order["id"])
        line.close()

    async def _pay(self, line: Line) -> None:
        while order_id := await self._bought.get():
            told, act = self.orders[order_id], self.chance.choice(("checkout", "checkout", "cancel"))
            card = self.chance.choice(("pm_ok", "pm_ok", "pm_ok", "pm_declined"))
            body = {"ship_to": SHIP_TO, "payment": {"method": "card", "token": card}, "price_total": told.total}
            answer = await line.ask(act, f"/orders/{order_id}/{act}", told.token, body if act == "checkout" else None)
            if answer.status != 200:
                continue
            told.state = answer.json()["state"]
            self.paid += told.state == "paid"
        line.close()


class Line:
    """One buyer's connection after the other, through the proxy or not."""

    def __init__(self, rush: Rush, proxy: LosingProxy | None, port: int) -> None:
        self._rush = rush
        self._lost = proxy.lost if proxy else {}
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def ask(self, act: str, path: str, token: str, body: Any) -> Message:
        """The answer to one act, asked for again and again under one key."""
        key = secrets.token_hex(12)
        request = post(f"/api/v1{path}", token, key, body)
        while True:
            answer = await self._once(request)
            self._rush.tries[f"{act} {answer.status if answer else 'broken'}"] += 1
            if answer and answer.status not in NOT_ANSWERED and b'"in_progress"' not in answer.body:
                break
            await asyncio.sleep(TRY_AGAIN_S)
        self._judge(act, answer, [lost for lost in self._lost.pop(key, []) if lost.status in (200, 201)])
        return answer

    async def _once(self, request: bytes) -> Message | None:
        with contextlib.suppress(*ENDED):
            self._streams = self._streams or await asyncio.open_connection("127.0.0.1", self._port)
            self._streams[1].write(request)
            return await read_message(self._streams[0])
        self.close()
        return None

    def _judge(self, act: str, answer: Message, lost: list[Message]) -> None:
        """Whether this may be said to a buyer, and is what was said when nobody heard it."""
        said = "ok" if answer.status in (200, 201) else answer.json()["code"]
        self._rush.answers[f"{act} {said}"] += 1
        if said not in ("ok", "sold_out", "limit_reached"):
            self._rush.wrong.append(f"{act}: {answer.status} {answer.body[:300]!r}")
        for before in lost:
            self._rush.told_again += 1
            if not _same(act, before, answer):
                self._rush.wrong.append(f"{act}: {before.body!r} was lost, and then came {answer.body!r}")


def _same(act: str, lost: Message, answer: Message) -> bool:
    """A hold's answer is kept in its own commit. Others are kept beside it: a kill between tells how things stand."""
    if answer.status != lost.status or answer.body == lost.body:
        return answer.status == lost.status
    return act != "hold" and answer.json()["state"] in LEGAL_AFTER[lost.json()["state"]]
