"""Reads: the lists people see, from what the ledger projected (they may lag the shelves by up to a second).

Every list takes `limit` and `after` (the `next` of the page before) and answers `{items, next}`, newest first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import rfc3339
from livesale.kernel.refusals import invalid
from livesale.ledger.tables import approvals, archive, cursor, heads, orders, shows
from livesale.store.database import reading

MOST_ITEMS = 200

Page = dict[str, Any]


async def list_shows(
    engine: AsyncEngine,
    state: str | None = None,
    shop: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page:
    """Shows, newest first; `state` may name several, joined by commas."""
    query = select(shows)
    if shop:
        query = query.where(shows.c.shop == shop)
    if state:
        query = query.where(shows.c.state.in_(state.split(",")))
    return await _page(engine, [query], (shows.c.created_ms, shows.c.id), _show, limit, after)


async def show_row(engine: AsyncEngine, show: str) -> Page | None:
    """One show as lists tell it, or None."""
    async with reading(engine) as connection:
        found = (await connection.execute(select(shows).where(shows.c.id == show))).first()
    return _show(found) if found else None


async def list_orders(engine: AsyncEngine, account: str, limit: int = 50, after: str | None = None) -> Page:
    """The orders of one account."""
    query = select(orders).where(orders.c.account == account)
    return await _page(engine, [query], (orders.c.held_at, orders.c.id), _order, limit, after)


async def list_shop_orders(
    engine: AsyncEngine, shop: str, states: str, limit: int = 50, after: str | None = None
) -> Page:
    """The orders of one shop in one of `states` (joined by commas)."""
    of_shop = select(orders).where(orders.c.shop == shop)
    each = [of_shop.where(orders.c.state == state) for state in states.split(",")]
    return await _page(engine, each, (orders.c.held_at, orders.c.id), _order, limit, after)


async def list_approvals(
    engine: AsyncEngine,
    minors: Iterable[str] | None = None,
    state: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page:
    """Requests of the accounts in `minors` (a minor's own, a guardian's wards'); None: of everyone."""
    query = select(approvals)
    if minors is not None:
        query = query.where(approvals.c.minor.in_(sorted(set(minors))))
    if state:
        query = query.where(approvals.c.state == state)
    return await _page(engine, [query], (approvals.c.requested_ms, approvals.c.id), _approval, limit, after)


async def open_requests_for(engine: AsyncEngine, product: str) -> list[str]:
    """Ids of the requests for a product that nobody has decided."""
    asked = select(approvals.c.id).join(orders, orders.c.id == approvals.c.order_id)
    named = orders.c.lines.contains(f'"{product}"', autoescape=True)
    async with reading(engine) as connection:
        return list(await connection.scalars(asked.where(approvals.c.state == "requested", named)))


async def head(engine: AsyncEngine, shelf: str) -> Page | None:
    """The newest signed head of a shelf's chain: `{shelf, seq, hash, signature, published_at}` (hex), or None."""
    query = select(heads).where(heads.c.shelf == shelf).order_by(heads.c.seq.desc()).limit(1)
    async with reading(engine) as connection:
        found = (await connection.execute(query)).first()
    if found is None:
        return None
    return {
        "shelf": shelf,
        "seq": found.seq,
        "hash": found.hash.hex(),
        "signature": found.signature.hex(),
        "published_at": rfc3339(found.published_ms),
    }


async def archived_seq(engine: AsyncEngine, shelf: str) -> int:
    """How far a shelf is archived and projected; 0 when not at all."""
    async with reading(engine) as connection:
        found = (await connection.execute(select(cursor.c.seq).where(cursor.c.shelf == shelf))).scalar()
    return int(found or 0)


async def log_entries(engine: AsyncEngine, shelf: str, after: int = 0, limit: int = 100) -> list[Page]:
    """Archived entries with seq > `after`, oldest first: `{seq, at_ms, bytes, hash}`."""
    entry = archive.c
    query = select(entry.seq, entry.at_ms, entry.bytes, entry.hash)
    query = query.where(entry.shelf == shelf, entry.seq > after).order_by(entry.seq).limit(_limited(limit))
    async with reading(engine) as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


def page_query(query: Mapping[str, str]) -> dict[str, Any]:
    """`limit` and `after` of a request's query, as the lists above take them."""
    text = query.get("limit", "50")
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ITEMS:
        raise invalid("limit", f"must be a whole number from 1 to {MOST_ITEMS}")
    return {"limit": int(text), "after": query.get("after") or None}


def token(place: list[Any]) -> str:
    """A page's `next`: where the page after it begins."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(after: str, *kinds: type) -> list[Any]:
    """The place a `next` stands for, one value for each of `kinds`; refused when it is not one of ours."""
    try:
        place = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except ValueError:
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise invalid("after", "is not the `next` of a page")
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in place):
        raise invalid("after", "is not the `next` of a page")
    return place


async def _page(
    engine: AsyncEngine,
    queries: Sequence[Select[Any]],
    columns: tuple[ColumnElement[Any], ColumnElement[Any]],
    shape: Callable[[Row[Any]], Page],
    limit: int,
    after: str | None,
) -> Page:
    """One page of what `queries` find together, highest first by `columns`: a time and the id that tells equal times apart.

    Each query by itself reads no more than a page, in the order of an index: the pages of a long list cost no more.
    """
    limit, (at, name) = _limited(limit), columns
    parts = [query.add_columns(at.label("place_at"), name.label("place_name")) for query in queries]
    if after:
        below = place_of(after, int, str)
        parts = [part.where(tuple_(at, name) < tuple_(literal(below[0]), literal(below[1]))) for part in parts]
    pages = [part.order_by(at.desc(), name.desc()).limit(limit + 1).subquery() for part in parts]
    whole = union_all(*(select(page) for page in pages)).subquery()
    newest = select(whole).order_by(whole.c.place_at.desc(), whole.c.place_name.desc()).limit(limit + 1)
    async with reading(engine) as connection:
        found = (await connection.execute(newest)).all()
    more = token([found[limit - 1].place_at, found[limit - 1].place_name]) if len(found) > limit else None
    return {"items": [shape(row) for row in found[:limit]], "next": more}


def _limited(limit: int) -> int:
    return max(1, min(limit, MOST_ITEMS))


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def _amount(row: Row[Any]) -> Page:
    return {"amount": row.total, "currency": row.currency}


def _show(row: Row[Any]) -> Page:
    names = ("id", "title", "shop", "currency", "owner", "state")
    return {name: row._mapping[name] for name in names} | {
        "starts_at": _time(row.starts_ms),
        "started_at": _time(row.started_ms),
        "ended_at": _time(row.ended_ms),
        "created_at": _time(row.created_ms),
    }


def _order(row: Row[Any]) -> Page:
    return {
        "id": row.id,
        "state": row.state,
        "lines": json.loads(row.lines),
        "total": _amount(row),
        "reserved_until": _time(row.reserved_until),
        "version": row.version,
        "shelf": row.shelf,
        "shop": row.shop,
        "held_at": _time(row.held_at),
        "updated_at": _time(row.updated_ms),
        "reason": row.reason,
    }


def _approval(row: Row[Any]) -> Page:
    return {
        "id": row.id,
        "order": row.order_id,
        "minor": row.minor,
        "guardian": row.guardian or None,
        "state": row.state,
        "digest": row.digest,
        "total": _amount(row),
        "requested_at": _time(row.requested_ms),
        "expires_at": _time(row.expires_ms),
        "updated_at": _time(row.updated_ms),
    }
