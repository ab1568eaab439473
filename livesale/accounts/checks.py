"""Checks: an operator who has seen a proof of somebody's age notes it, and takes it back when that was a mistake.

Law: a check counts over a word and a credential; nobody checks their own. Of the birth date only the band stays. What was
known before is kept until it is taken back or the person is forgotten; the audit says who and by what, never which age.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal, get_args

import msgspec
from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts import store
from livesale.accounts.model import Account, Age, age_told
from livesale.accounts.service import SYSTEM, Accounts
from livesale.accounts.signins import audit, check_fresh
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal, invalid
from livesale.store.database import metadata, reading

Seen = Literal["identity_document", "other_document", "video_call", "correction"]

SEEN: tuple[Seen, ...] = get_args(Seen)
ISSUER = "operator"

age_checks = Table(
    "age_checks",
    metadata,
    Column("account", String(40), ForeignKey("accounts.id"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("seen", String(20), nullable=False),
    Column("band", String(10), nullable=False),  # this and the rest: as it was before
    Column("ends_month", String(7), nullable=False),
    Column("method", String(10), nullable=False),
    Column("issuer", String(100), nullable=False),
)


class Known(msgspec.Struct, frozen=True):
    """An account, and its last check (`at_ms` 0: there is none that could be taken back)."""

    account: Account
    at_ms: int = 0
    seen: str = ""


class Checks:
    """What operators do about ages."""

    def __init__(self, engine: AsyncEngine, accounts: Accounts, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._accounts = accounts
        self._now_ms = now_ms

    async def find(self, actor: Actor, email: str) -> Known:
        """Whose address that is; that an operator looked is written down, too."""
        account = await self._accounts.by_email(email)
        async with self._engine.begin() as db:
            await audit(db, self._now_ms(), actor.account, "account.age_look", account.id, {})
        return await self._known(account)

    async def note(self, account: Account, born: date, seen: Seen = "identity_document", by: str = SYSTEM) -> Account:
        """What somebody who runs the server has checked."""
        now_ms = self._now_ms()
        age = age_told(born, now_ms, account.place, "verified", ISSUER)
        async with self._engine.begin() as db:
            await db.execute(delete(age_checks).where(age_checks.c.account == account.id))
            was = await store.find(db, account=account.id)
            assert was is not None
            before = {
                "band": was["band"], "ends_month": was["band_ends_month"], "method": was["age_method"], "issuer": was["age_issuer"],
            }  # fmt: skip
            await db.execute(insert(age_checks).values(account=account.id, at_ms=now_ms, seen=seen, **before))
            await store.set_age(db, account.id, age)
            await self._audited(db, by, account.id, age, seen)
        return await self._accounts.me(account.id)

    async def under_age(self, account_id: str, born: date, by: str) -> Account:
        """It has come to light that somebody is under age, whatever they had said; refused for who is not."""
        account = await self._accounts.me(account_id)
        if age_told(born, self._now_ms(), account.place, "verified", ISSUER).band == "adult":
            raise invalid("born", "is the birthday of someone who is of age")
        return await self.note(account, born, "correction", by)

    async def check(self, actor: Actor, account_id: str, born: date, seen: Seen) -> Known:
        """An operator has seen it, and has just proven who they are."""
        account = await self._checkable(actor, account_id)
        return await self._known(await self.note(account, born, seen, actor.account))

    async def undo(self, actor: Actor, account_id: str) -> Known:
        """As it was before the last check; refused (`conflict`) when there is none."""
        account = await self._checkable(actor, account_id)
        mine = age_checks.c.account == account.id
        async with self._engine.begin() as db:
            row = (await db.execute(select(age_checks).where(mine))).mappings().first()
            if row is None:
                raise Refusal("conflict", "There is no check of this account that could be taken back.")
            age = Age(row["band"], row["ends_month"], row["method"], row["issuer"])
            await db.execute(delete(age_checks).where(mine))
            await store.set_age(db, account.id, age)
            await self._audited(db, actor.account, account.id, age, "undo")
        return await self._known(await self._accounts.me(account.id))

    async def _checkable(self, actor: Actor, account_id: str) -> Account:
        check_fresh(actor, self._now_ms())
        account = await self._accounts.me(account_id)
        if account.id == actor.account:
            raise Refusal("forbidden", "Nobody checks their own age. Please ask another operator.")
        return account

    async def _known(self, account: Account) -> Known:
        async with reading(self._engine) as db:
            row = (await db.execute(select(age_checks).where(age_checks.c.account == account.id))).mappings().first()
        return Known(account, row["at_ms"], row["seen"]) if row else Known(account)

    async def _audited(self, db: AsyncConnection, by: str, account: str, age: Age, seen: str) -> None:
        said = {"method": age.method, "issuer": age.issuer, "seen": seen}
        await audit(db, self._now_ms(), by, "account.age", account, said)
