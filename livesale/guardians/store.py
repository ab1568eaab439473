"""The guardians room's table: family links. What a commit must fence lives on shelves, not here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Boolean, Column, String, Table, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.kernel.ids import random_name
from livesale.store.database import metadata

links = Table(
    "family_links",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("minor", String(40), nullable=False, index=True),
    Column("guardian", String(40), nullable=False, index=True),
    Column("verified", Boolean, nullable=False),
    Column("active_since", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=True),
    UniqueConstraint("minor", "guardian"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A guardian's link to a minor; times in ms, `ends_at` when its removal takes effect."""

    id: str
    minor: str
    guardian: str
    verified: bool
    active_since: int
    ends_at: int | None

    def active(self, now_ms: int) -> bool:
        """Whether it counts now."""
        return self.active_since <= now_ms and (self.ends_at is None or now_ms < self.ends_at)


async def link(connection: AsyncConnection, minor: str, guardian: str, verified: bool, now_ms: int) -> Link:
    """Link a guardian to a minor, or make an existing link verified and active."""
    found = await _one(connection, minor, guardian)
    if found is None:
        made = Link(f"fl_{random_name()}", minor, guardian, verified, now_ms, None)
        await connection.execute(links.insert().values(**asdict(made)))
        return made
    changed = {"verified": verified or found.verified, "ends_at": None}
    await connection.execute(links.update().where(links.c.id == found.id).values(**changed))
    return Link(found.id, minor, guardian, verified or found.verified, found.active_since, None)


async def links_of(connection: AsyncConnection, account: str) -> list[Link]:
    """Every link of an account, as minor or as guardian."""
    wanted = select(links).where((links.c.minor == account) | (links.c.guardian == account))
    return [Link(**row._mapping) for row in await connection.execute(wanted)]


async def _one(connection: AsyncConnection, minor: str, guardian: str) -> Link | None:
    wanted = select(links).where(links.c.minor == minor, links.c.guardian == guardian)
    row = (await connection.execute(wanted)).first()
    return Link(**row._mapping) if row else None
