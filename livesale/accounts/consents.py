"""Consents: what someone's data may be used for beyond selling to them; the answer is no until they say yes.

Law: every yes and no is a receipt that is kept (which text, when, how, by whom) and the newest one counts. Saying no is as
easy as saying yes, and nobody is ever too young for it. Below the country's age of data consent (Art. 8 GDPR) a yes is the
guardian's, on record here and never taken from a purchase approval; nobody known to be under age is profiled for
advertising, whoever agrees (Art. 28 (2) DSA): they see contextual advertising only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, func, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts.model import Account, old_enough
from livesale.accounts.service import Accounts
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata, reading

Purpose = Literal["marketing_mail", "statistics", "personal_ads"]
How = Literal["page", "guardian"]

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
VERSION = "2026-11"  # of the texts: changed with any word of them, which asks everybody anew
TEXTS: dict[Purpose, dict[str, str]] = {
    "marketing_mail": {
        "en": "You may mail me about new shows and offers.",
        "de": "Ihr dürft mir Mails über neue Shows und Angebote schicken.",
    },
    "statistics": {
        "en": "You may count how I use these pages, to make them better.",
        "de": "Ihr dürft zählen, wie ich diese Seiten benutze, um sie besser zu machen.",
    },
    "personal_ads": {
        "en": "You may choose advertising by what I have watched and bought. Without it I see advertising about the show only.",
        "de": "Ihr dürft Werbung danach auswählen, was ich gesehen und gekauft habe. Sonst sehe ich nur Werbung zur Show.",
    },
}

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(40), ForeignKey("accounts.id"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("version", String(20), nullable=False),  # of the text that was shown
    Column("at_ms", BigInteger, nullable=False),
    Column("how", String(10), nullable=False),
    Column("by", String(40), nullable=False),  # the account that said it
    Index("consents_of", "account", "purpose", "id"),
)


class Standing(msgspec.Struct, frozen=True):
    """What counts now for one purpose. `at_ms` 0: never asked. `may_grant`: who can say yes now, nobody where empty."""

    purpose: Purpose
    granted: bool
    at_ms: int
    version: str
    how: str
    may_grant: Literal["owner", "guardian", ""]


class Consents:
    """Takes them down, and says what stands."""

    def __init__(self, engine: AsyncEngine, accounts: Accounts, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._accounts = accounts
        self._now_ms = now_ms

    async def of(self, account: str) -> list[Standing]:
        """What stands for each purpose. A yes stands only while it could still be given and its text is today's."""
        owner, now_ms = await self._accounts.me(account), self._now_ms()
        async with reading(self._engine) as db:
            newest = {row["purpose"]: row for row in await _newest(db, account)}
        return [_standing(purpose, newest.get(purpose), may_grant(owner, purpose, now_ms)) for purpose in PURPOSES]

    async def receipts(self, account: str) -> list[RowMapping]:
        """Every yes and no there was, oldest first."""
        query = select(consents).where(consents.c.account == account).order_by(consents.c.id)
        async with reading(self._engine) as db:
            return list((await db.execute(query)).mappings())

    async def say(self, account: str, purpose: Purpose, granted: bool, version: str, by: str) -> list[Standing]:
        """Take down a yes or no to the text of `version`, by the owner or (`by` another account) a guardian."""
        owner, now_ms = await self._accounts.me(account), self._now_ms()
        how: How = "page" if by == account else "guardian"
        if granted:
            _check_may_grant(owner, purpose, how, version, now_ms)
        values = {"account": account, "purpose": purpose, "granted": granted, "version": version, "how": how, "by": by}
        async with self._engine.begin() as db:
            await db.execute(insert(consents).values(**values, at_ms=now_ms))
        return await self.of(account)


def may_grant(owner: Account, purpose: Purpose, now_ms: int) -> Literal["owner", "guardian", ""]:
    """Who can say yes to it for this account now."""
    band = owner.band(now_ms)
    if purpose == "personal_ads" and band != "adult":
        return ""
    return "owner" if old_enough(band, owner.place.data_consent, owner.place) else "guardian"


def _check_may_grant(owner: Account, purpose: Purpose, how: How, version: str, now_ms: int) -> None:
    if version != VERSION:
        raise Refusal("superseded", "The text has changed. Please read it again.")
    who = may_grant(owner, purpose, now_ms)
    if who == "":
        raise Refusal("forbidden", "Nobody under age is shown personal advertising, whoever agrees.")
    if how == "page" and who == "guardian":
        raise Refusal("forbidden", "Where you live a guardian has to agree to this for you.")
    if how == "guardian" and who == "owner":
        raise Refusal("forbidden", "They are old enough to answer this themselves.")


async def _newest(db: AsyncConnection, account: str) -> list[RowMapping]:
    newest = select(func.max(consents.c.id)).where(consents.c.account == account).group_by(consents.c.purpose)
    return list((await db.execute(select(consents).where(consents.c.id.in_(newest)))).mappings())


def _standing(purpose: Purpose, row: RowMapping | None, who: Literal["owner", "guardian", ""]) -> Standing:
    if row is None:
        return Standing(purpose, False, 0, VERSION, "", who)
    stands = bool(row["granted"]) and who != "" and row["version"] == VERSION
    return Standing(purpose, stands, row["at_ms"], row["version"], row["how"], who)
