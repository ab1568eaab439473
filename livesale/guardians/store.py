"""The guardians room's tables: family links, as copies of each minor's `family` record to find it by, and invitations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table, UniqueConstraint, insert, select, update
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
    Column("version", BigInteger, nullable=False, server_default="0"),  # of the record it is a copy of
    UniqueConstraint("minor", "guardian"),
)
invitations = Table(
    "family_invitations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("inviter", String(40), nullable=False, index=True),
    Column("invites", String(10), nullable=False),  # guardian or minor
    Column("way", String(10), nullable=False),  # mail or code
    Column("email_hash", String(64), nullable=False),  # keyed: whom it is for
    Column("email", LargeBinary, nullable=False),  # sealed with the inviter's key, context `invitation:ID`
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=True),
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


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation of `inviter` to whoever has the address, to become a guardian or to be looked after."""

    id: str
    inviter: str
    invites: str
    way: str
    email_hash: str
    email: bytes
    created_ms: int
    expires_ms: int
    used_ms: int | None = None

    def is_open(self, now_ms: int) -> bool:
        """Whether it can still be accepted."""
        return self.used_ms is None and now_ms < self.expires_ms


def new_link_id() -> str:
    """The id of a link about to be made."""
    return f"fl_{random_name()}"


async def copy(connection: AsyncConnection, rows: list[Link], version: int) -> None:
    """Make these rows say what version `version` of their minor's record says, unless they are newer."""
    for row in rows:
        same = links.c.id == row.id
        known = (await connection.execute(select(links.c.version).where(same))).scalar()
        if known is None:
            await connection.execute(insert(links).values(**asdict(row), version=version))
        elif known < version:
            await connection.execute(update(links).where(same).values(**asdict(row), version=version))


async def links_of(connection: AsyncConnection, account: str) -> list[Link]:
    """Every link of an account, as minor or as guardian."""
    return await _links(connection, (links.c.minor == account) | (links.c.guardian == account))


async def guardians_of(connection: AsyncConnection, minor: str) -> list[Link]:
    """Every link of a minor."""
    return await _links(connection, links.c.minor == minor)


async def add_invitation(connection: AsyncConnection, made: Invitation) -> None:
    """Keep an invitation."""
    await connection.execute(insert(invitations).values(**asdict(made)))


async def invitation(connection: AsyncConnection, invitation_id: str) -> Invitation | None:
    """An invitation by its id."""
    row = (await connection.execute(select(invitations).where(invitations.c.id == invitation_id))).first()
    return Invitation(**row._mapping) if row else None


async def invitations_of(connection: AsyncConnection, inviter: str, since_ms: int) -> list[Invitation]:
    """What an account has sent since, oldest first."""
    wanted = select(invitations).where(invitations.c.inviter == inviter, invitations.c.created_ms >= since_ms)
    return [Invitation(**row._mapping) for row in await connection.execute(wanted.order_by(invitations.c.created_ms))]


async def use_invitation(connection: AsyncConnection, invitation_id: str, now_ms: int) -> None:
    """It has been accepted; the first time stays."""
    unused = (invitations.c.id == invitation_id) & invitations.c.used_ms.is_(None)
    await connection.execute(update(invitations).where(unused).values(used_ms=now_ms))


async def _links(connection: AsyncConnection, which: Any) -> list[Link]:
    columns = [column for column in links.c if column.name != "version"]
    return [Link(**row._mapping) for row in await connection.execute(select(*columns).where(which))]
