"""Doors: what the shows room needs of tickets, hubs and lists when it answers a browser."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from livesale.apps import captions, reactions
from livesale.apps.presence import HubSeen
from livesale.apps.replay import Replays
from livesale.apps.wiring import Wiring
from livesale.hub.tickets import Claims, anonymous_tag, issue, new_jti, viewer_tag
from livesale.kernel.clock import SECOND_MS, rfc3339
from livesale.kernel.ids import shelf
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import Call
from livesale.ledger import reads
from livesale.media.captions import Cue
from livesale.media.hls_tokens import signed
from livesale.ops.presence import read_live
from livesale.orders.model import Order
from livesale.orders.routes import ShipTo
from livesale.shows.routes import Doors
from livesale.shows.service import LEASE, whip_token
from livesale.shows.views import Ticket, Whip
from livesale.store.record import version

TICKET_MS = 30 * SECOND_MS
REMEMBER_HUBS_S = 0.2
TAKEN_WITHIN_MS = 3_000
LOOK_EVERY_MS = 100
LISTED_AS = {"live": "live,paused", "scheduled": "draft"}
TOLD_AS = {"awaiting_guardian": "held", "declined": "cancelled"}  # a request is nobody's but the family's
STATES = (
    "held", "awaiting_guardian", "awaiting_payment", "paid", "shipped", "completed", "payment_failed", "cancelled",
    "expired", "declined", "refunded", "withdrawn",
)  # fmt: skip


class WebDoors:
    """The doors of one web process; remembers for a moment which hubs there are."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self.replays = Replays(wiring)
        self._ticket_key = Ed25519PrivateKey.from_private_bytes(wiring.settings.key("ticket.key"))
        self._hubs: list[HubSeen] = []
        self._hubs_at = float("-inf")
        self._given: Counter[str] = Counter()  # tickets by hub since then: their viewers are not in its figure yet

    def doors(self) -> Doors:
        """What `shows/routes.py` asks for."""
        return Doors(
            self._wiring.can_sell, self.hubs, self.ticket, self.whip, self.live, self.listed,
            self.react, self.figures, self.caption, self.hls,
            self.replays.of, self.replays.poster,
        )  # fmt: skip

    async def hubs(self, show: str, call: Call) -> list[str]:
        """Bases a browser asking under this host name can use: edges first, then the studio that has the show."""
        return [_under(seen, call) for seen in await self._serving(show)]

    async def ticket(self, show: str, call: Call) -> Ticket:
        """A ticket for one hub: the one with the fewest viewers, an edge before the studio."""
        serving = await self._served(show)
        if not serving:
            raise Refusal("store_unavailable", "No hub has this show yet. Please try again.", retry_after_s=1)
        chosen = min(serving, key=lambda seen: (seen.kind != "edge", seen.viewers + self._given[seen.name], seen.name))
        self._given[chosen.name] += 1
        store = self._wiring.store
        # From the shelf, not from what the hub told: a studio that has lost the show would still tell its old number.
        lease = version((await store.read(shelf("show", show), LEASE))[LEASE])
        now = store.now_ms()
        actor = call.actor
        tag = viewer_tag(self._wiring.tag_key, actor.account, show) if actor else anonymous_tag()
        claims = Claims(show, tag, new_jti(), chosen.name, lease, now + TICKET_MS, anonymous=actor is None)
        return Ticket(issue(self._ticket_key, claims), _under(chosen, call), rfc3339(now + TICKET_MS), rfc3339(now))

    def whip(self, show: str, call: Call) -> Whip:
        """Where and with what token the host publishes."""
        scheme = "https" if call.secure else "http"
        return Whip(f"{scheme}://{call.host}/whip/{show}", whip_token(self._wiring.tag_key, show))

    def hls(self, show: str) -> str:
        """Where a show's HLS is, with a token where tokens are asked for."""
        hls, now_s = self._wiring.settings.hls, self._wiring.store.now_ms() // SECOND_MS
        token = f"{signed(hls.secret, show, now_s + hls.valid_min * 60)}/" if hls.secret else ""
        return f"/hls/{show}/{token}index.m3u8"

    async def live(self, show: str) -> dict[str, Any]:
        """What the studio that holds the show last told of it."""
        return await read_live(self._wiring.store, show)

    async def listed(
        self, state: str | None, shop: str | None, limit: int, after: str | None
    ) -> tuple[list[str], str | None]:
        """Ids of shows in a state, newest first."""
        wanted = LISTED_AS.get(state or "", state)
        return _ids(await reads.list_shows(self._wiring.database, wanted, shop, limit, after))

    async def orders_of(self, account: str, limit: int, after: str | None) -> dict[str, Any]:
        """An account's orders as the ledger lists them, newest first."""
        return await reads.list_orders(self._wiring.database, account, limit, after)

    async def sold_by(
        self, shop: str, states: str, limit: int, after: str | None
    ) -> tuple[list[str], str | None]:
        """Ids of a shop's orders in one of these states (joined by commas), newest first."""
        return _ids(await reads.list_shop_orders(self._wiring.database, shop, states, limit, after))

    async def ship_to(self, order: Order) -> ShipTo | None:
        """Where a paid order goes, for whoever has to send it; None once its buyer has been erased."""
        try:
            sealed = await self._wiring.people.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        except Refusal as refusal:
            if refusal.code != "not_found":
                raise
            return None
        return msgspec.json.decode(sealed, type=ShipTo)

    async def approvals_of(self, minors: list[str]) -> list[str]:
        """Ids of the requests of these minors, newest first."""
        return _ids(await reads.list_approvals(self._wiring.database, minors, limit=100))[0]

    async def react(self, show: str, kind: str) -> None:
        """Pass a reaction on to whoever holds the show; lost if nobody does."""
        await reactions.tell(self._wiring.store, show, kind)

    async def caption(self, show: str, cue: Cue) -> None:
        """Pass a line of captions on to whoever holds the show."""
        await captions.tell(self._wiring.store, show, cue)

    async def figures(self, show: str) -> dict[str, Any]:
        """Orders by state and revenue of a show, from its counters; without a word of who had to ask a guardian."""
        on_shelf = shelf("show", show)
        names = [f"n:{state}" for state in STATES]
        found = await self._wiring.store.counters(on_shelf, *names, "revenue")
        currency = (await self._wiring.shows.load(show)).currency
        orders: Counter[str] = Counter()
        for state in STATES:
            orders[TOLD_AS.get(state, state)] += found[f"n:{state}"]
        told = {state: count for state, count in orders.items() if count}
        return {"orders": told, "revenue": Money(max(0, found["revenue"]), currency)}

    async def _served(self, show: str) -> list[HubSeen]:
        """The hubs of a show; one just begun is given the moment a studio needs to take it."""
        for _ in range(TAKEN_WITHIN_MS // LOOK_EVERY_MS):
            if serving := await self._serving(show):
                return serving
            await asyncio.sleep(LOOK_EVERY_MS / 1000)
        return []

    async def _serving(self, show: str) -> list[HubSeen]:
        if time.monotonic() - self._hubs_at > REMEMBER_HUBS_S:
            self._hubs, self._hubs_at = await self._wiring.presence.hubs(), time.monotonic()
            self._given.clear()
        studios = [seen for seen in self._hubs if seen.kind == "studio" and show in seen.shows]
        if not studios:
            return []
        return [seen for seen in self._hubs if seen.kind == "edge"] + studios


def _ids(page: dict[str, Any]) -> tuple[list[str], str | None]:
    return [item["id"] for item in page["items"]], page["next"]


def _under(hub: HubSeen, call: Call) -> str:
    """The hub's public address, or its port under the host name the page was asked by."""
    if hub.public_url:
        return hub.public_url
    scheme, _, rest = hub.url.partition("://")
    port = rest.rsplit(":", 1)[1]
    name = call.host.rsplit(":", 1)[0] if not call.host.endswith("]") else call.host
    return f"{'wss' if call.secure else scheme}://{name}:{port}"
