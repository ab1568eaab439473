"""A market whose mails and pushes go out, and what guardians decide there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace

from livesale.guardians import model as approvals
from livesale.guardians.model import Approval
from livesale.notices.message import address
from livesale.notices.model import Mail
from livesale.notices.postman import Postman
from livesale.notices.pushing import Pusher
from livesale.notices.reactions import Notices
from livesale.notices.transport import Smtp, Transport
from livesale.notices.vapid import Vapid
from livesale.notices.writer import Writer
from livesale.orders.model import Order
from livesale.store.decision import Decision
from livesale.store.readers import Reader
from livesale.store.record import load, put
from livesale.store.valkey import Store
from tests.notices.town import MailServer, Town, until
from tests.support.market import ORIGIN, Market


class Post:
    """A market whose mails go to a server: the worker's readers, and as many postmen as wanted."""

    def __init__(self, store: Store, server: MailServer) -> None:
        self.store = store
        self.server = server
        self.town = Town(families={"mia": ["gita"]})
        self.market = Market(store)
        self.market.people.bands["mia"] = "14-15"
        self.market.people.wards.add("mia")
        self.told: list[str] = []

    def postman(self, transport: Transport | None = None) -> Postman:
        writer = Writer(self.store, self.town, ORIGIN, address("shop@example.org"))
        pusher = Pusher(self.store, self.town, Vapid(b"k" * 32, "mailto:shop@example.org"), self.store.now_ms)
        return Postman(self.store, writer, transport or Smtp(f"smtp://127.0.0.1:{self.server.port}"), pusher)

    @contextlib.asynccontextmanager
    async def running(self, *postmen: Postman) -> AsyncIterator[None]:
        """The readers and postmen at work, each reader telling the first postman."""
        sender = postmen[0] if postmen else None
        notices = Notices(self.store, self.town, sender.tell if sender else lambda _shelf, mail: self.told.append(mail))
        market = self.market
        rooms = (market.payments, market.refunds, market.reactions, market.requests, market.settling)
        of_market = [one for room in rooms for one in room.reactions()]
        reader = Reader(self.store, "reactions", (*of_market, *notices.reactions()))
        tasks = [asyncio.create_task(one.run()) for one in (reader, *postmen)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def buy(self, buyer: str) -> Order:
        order = await self.market.check_out(await self.market.hold(buyer, (0, 1)))
        return await self.market.state(order, "paid")

    async def count(self, state: str) -> int:
        return (await self.store.counters(self.market.shelf, f"mails:{state}"))[f"mails:{state}"]

    async def records(self) -> dict[str, Mail]:
        found = await self.store.records(self.market.shelf)
        return {name: load(Mail, record) for name, record in found.items() if name.startswith("mail:")}  # type: ignore[misc]

    async def settled(self, sent: int) -> None:
        """Wait until so many mails were sent and none waits."""

        async def done() -> bool:
            return await self.count("sent") == sent and await self.count("waiting") == 0

        await until(done)


async def decide(
    post: Post, approval_id: str, state: str, guardian: str, spend: str = "", token: str = "pm_ok"
) -> None:
    """What the guardians' service commits when a guardian has decided."""
    name = f"approval:{approval_id}"

    def decision(records: Any, now_ms: int) -> Decision:
        before = load(Approval, records[name])
        assert before
        after = approvals.moved(before, state, guardian=guardian)
        if state == "approved":
            after = replace(approvals.approved(before, guardian, token, now_ms), spend=spend)
        fact = approvals.approval_event(before, after)
        return Decision(post.market.shelf, puts=(put(name, records[name], after),), events=(fact,))

    await post.store.act(post.market.shelf, (name,), decision)
