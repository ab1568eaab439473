"""Pushes: the browsers an adult wants to be told in (Web Push, RFC 8030): kept, listed, opened for one sending, forgotten.

Law: nobody under age is pushed anything: neither is a subscription taken, nor one opened that became a minor's. A browser
belongs to whoever subscribed in it last, and only as long as the sign-in it was done with; its address and keys are
sealed with the account's key.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table, delete, func, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.model import checked
from livesale.accounts.service import Accounts
from livesale.accounts.signins import audit
from livesale.kernel.actor import Actor
from livesale.kernel.outside import check_outside, is_loopback
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.sealing import lookup, seal, unseal
from livesale.store.database import metadata, reading

MOST_BROWSERS = 10  # of an account
AUTH_BYTES = 16  # RFC 8291 section 3.2

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed hash (sealing.lookup) of the browser's address
    Column("account", String(40), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("sid", String(40), nullable=False),  # the sign-in it belongs to
    Column("sealed", LargeBinary, nullable=False),  # Subscription; context `push:ID`
    Column("device", String(40), nullable=False),  # a browser in two words
    Column("created_ms", BigInteger, nullable=False),
)


class Subscription(msgspec.Struct, frozen=True):
    """Where a browser is reached, and with which keys (base64url) what it is sent is encrypted."""

    endpoint: str
    p256dh: str
    auth: str


class Subscribed(msgspec.Struct, frozen=True):
    """A browser of an account."""

    id: str
    device: str
    created_ms: int
    endpoint: str


class Pushes:
    """Keeps them. `lookup_key`: finds a browser by its address (`address.key`); `local`: also push services on this
    machine, which a stranger must not reach.
    """

    def __init__(
        self, engine: AsyncEngine, accounts: Accounts, lookup_key: bytes, now_ms: Callable[[], int], *, local: bool
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._lookup_key = lookup_key
        self._now_ms = now_ms
        self._local = local

    async def subscribe(self, actor: Actor, wanted: Subscription, device: str) -> Subscribed:
        """Tell the actor in this browser from now on; refused (`adults_only`) to whoever is not known to be of age."""
        now_ms = self._now_ms()
        if (await self._accounts.me(actor.account)).band(now_ms) != "adult":
            raise Refusal("adults_only", "Only adults are told of something in their browser.")
        self._check(wanted)
        made = Subscribed(lookup(self._lookup_key, wanted.endpoint), device, now_ms, wanted.endpoint)
        async with self._engine.begin() as db:
            owner = await store.find(db, account=actor.account)
            if owner is None or owner["key"] is None:
                raise not_found("account")
            await db.execute(delete(push_subscriptions).where(push_subscriptions.c.id == made.id))
            mine = select(func.count()).where(push_subscriptions.c.account == actor.account)
            if (await db.execute(mine)).scalar_one() >= MOST_BROWSERS:
                raise Refusal("limit_reached", f"At most {MOST_BROWSERS} browsers. Switch it off in one of them first.")
            sealed = seal(owner["key"], msgspec.json.encode(wanted), f"push:{made.id}")
            values = {"id": made.id, "account": actor.account, "sid": actor.sid, "device": device, "created_ms": now_ms}
            await db.execute(insert(push_subscriptions).values(**values, sealed=sealed))
            await audit(db, now_ms, actor.account, "push.subscribe", actor.account, {"device": device})
        return made

    async def of(self, account: str) -> list[Subscribed]:
        """The account's browsers whose sign-in lasts, oldest first; none once it is not known to be of age."""
        return [
            Subscribed(row["id"], row["device"], row["created_ms"], wanted.endpoint)
            for row, wanted in await self._found(account)
        ]

    async def open(self, account: str, push: str) -> Subscription | None:
        """Where to send what `account` is to hear; None once it is not to be told there."""
        return next((wanted for row, wanted in await self._found(account) if row["id"] == push), None)

    async def unsubscribe(self, actor: Actor, push: str) -> None:
        """Nothing more in that browser; refused (`not_found`) when it is not the actor's."""
        own = (push_subscriptions.c.id == push) & (push_subscriptions.c.account == actor.account)
        async with self._engine.begin() as db:
            if (await db.execute(delete(push_subscriptions).where(own))).rowcount == 0:
                raise not_found("browser of yours")
            await audit(db, self._now_ms(), actor.account, "push.unsubscribe", actor.account, {})

    async def gone(self, push: str) -> None:
        """Its push service says that the browser is there no more."""
        async with self._engine.begin() as db:
            await db.execute(delete(push_subscriptions).where(push_subscriptions.c.id == push))

    async def _found(self, account: str) -> list[tuple[RowMapping, Subscription]]:
        now_ms = self._now_ms()
        of_sign_in = push_subscriptions.join(store.sessions, store.sessions.c.sid == push_subscriptions.c.sid)
        lasting = (push_subscriptions.c.account == account) & (store.sessions.c.expires_ms > now_ms)
        columns = (push_subscriptions.c.id, push_subscriptions.c.sealed, push_subscriptions.c.device)
        query = select(*columns, push_subscriptions.c.created_ms).select_from(of_sign_in).where(lasting)
        async with reading(self._engine) as db:
            rows = (await db.execute(query.order_by(push_subscriptions.c.created_ms, push_subscriptions.c.id))).mappings().all()
        owner = (await self._accounts.with_keys([account])).get(account) if rows else None
        if owner is None or owner[0].band(now_ms) != "adult":
            return []
        return [(row, msgspec.json.decode(unseal(owner[1], row["sealed"], f"push:{row['id']}"), type=Subscription)) for row in rows]

    def _check(self, wanted: Subscription) -> None:
        """Only what a browser gives: an https address outside our network, a point of P-256, a secret of 16 bytes."""
        if not (self._local and is_loopback(wanted.endpoint)):
            checked("endpoint", lambda address: check_outside(address, ("https",)), wanted.endpoint)
        checked("p256dh", lambda key: EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(key)), wanted.p256dh)
        if len(checked("auth", decoded, wanted.auth)) != AUTH_BYTES:
            raise invalid("auth", f"has {AUTH_BYTES} bytes")


def decoded(text: str) -> bytes:
    """Bytes written as base64url without padding; ValueError when it is not."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
