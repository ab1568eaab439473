"""Publish: signs the head of each chain that has grown and keeps every published head, so none can be taken back."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.batch import write_rows
from livesale.ledger.chain import sign
from livesale.ledger.positions import Position
from livesale.ledger.tables import heads
from livesale.store.database import reading


async def published(engine: AsyncEngine) -> dict[str, int]:
    """The position of each shelf's newest head."""
    async with reading(engine) as connection:
        found = await connection.execute(select(heads.c.shelf, func.max(heads.c.seq)).group_by(heads.c.shelf))
        return {shelf: seq for shelf, seq in found}


async def publish_heads(
    engine: AsyncEngine, key: Ed25519PrivateKey, grown: Mapping[str, Position], now_ms: int
) -> None:
    """Sign and keep the head of each shelf in `grown`; a head that another worker published stays."""
    rows = [
        {
            "shelf": shelf,
            "seq": position.seq,
            "hash": position.hash,
            "signature": sign(key, shelf, position.seq, position.hash),
            "published_ms": now_ms,
        }
        for shelf, position in grown.items()
    ]
    async with engine.begin() as connection:
        await write_rows(connection, "heads", (), rows)
