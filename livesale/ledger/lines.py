"""Lines: what one account said in chats, still sealed; for its export, and for taking it back."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.tables import chat_lines, shows
from livesale.store.database import reading


class Said(NamedTuple):
    """A line; `state` is its show's, `sealed` base64."""

    id: str
    show: str
    state: str
    at_ms: int
    sealed: str


async def lines_of(engine: AsyncEngine, account: str) -> list[Said]:
    """Every line of the account, oldest first."""
    of_show = chat_lines.join(shows, shows.c.id == chat_lines.c.show)
    columns = (chat_lines.c.id, chat_lines.c.show, shows.c.state, chat_lines.c.at_ms, chat_lines.c.sealed)
    query = select(*columns).select_from(of_show).where(chat_lines.c.account == account)
    async with reading(engine) as connection:
        found = await connection.execute(query.order_by(chat_lines.c.at_ms, chat_lines.c.id))
        return [Said(*row) for row in found]
