"""Shops: who sells. A shop's name is its slug; its owner runs its shows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.kernel.ids import is_name
from livesale.kernel.refusals import invalid
from livesale.store.database import metadata

shops = Table(
    "shops",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(40), nullable=True, index=True),
    Column("created_ms", BigInteger, nullable=False),
)


async def ensure_shop(connection: AsyncConnection, shop: str, owner: str | None, now_ms: int) -> None:
    """Make the shop if it is missing; a given owner becomes its owner."""
    if not is_name(shop):
        raise invalid("shop", "a shop's name has 1 to 40 of a-z, 0-9 and -")
    found = (await connection.execute(select(shops.c.owner).where(shops.c.id == shop))).first()
    if found is None:
        await connection.execute(shops.insert().values(id=shop, owner=owner, created_ms=now_ms))
    elif owner is not None and found.owner != owner:
        await connection.execute(shops.update().where(shops.c.id == shop).values(owner=owner))


async def owner_of(connection: AsyncConnection, shop: str) -> str | None:
    """The account that owns the shop; None when there is no such shop or nobody owns it."""
    owner: str | None = await connection.scalar(select(shops.c.owner).where(shops.c.id == shop))
    return owner


async def shops_of(connection: AsyncConnection, account: str) -> list[str]:
    """The shops an account owns."""
    return list(await connection.scalars(select(shops.c.id).where(shops.c.owner == account).order_by(shops.c.id)))


async def shop_exists(connection: AsyncConnection, shop: str) -> bool:
    """Whether there is such a shop."""
    return await connection.scalar(select(shops.c.id).where(shops.c.id == shop)) is not None
