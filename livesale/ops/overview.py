"""Overview: the operators' figures. Counters come live from the shelves, lists and names from the ledger's tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.clock import rfc3339
from livesale.kernel.refusals import not_found
from livesale.ledger.tables import approvals, counters, offers, shows
from livesale.ops import presence
from livesale.ops.alarms import alarms
from livesale.ops.mails import mail_counts
from livesale.ops.processes import Processes
from livesale.store.database import reading
from livesale.store.valkey import Store

MOST_SHOWS = 50
ON_AIR = ("live", "paused", "ending")
PLACES = ("free", "offered", "held", "paying", "claimed", "loaded")

Counts = dict[str, int]


async def overview(store: Store, engine: AsyncEngine, processes: Processes) -> dict[str, Any]:
    """`{shows, orders, viewers, approvals_pending, mails, processes, alarms}`; at most 50 shows, those on air first.

    Of a show's picture: `media_delay_ms` is the longest of the last 2 s from a picture's last packet at the studio to
    its hub (the way from the host to the studio is not in it), `picture_age_ms` the time since the last picture came;
    null without one.
    """
    found = await _shows(engine)
    shelves = [f"show:{row['id']}" for row in found]
    live = await presence.read_all(store, (row["id"] for row in found))
    counts = await live_counts(store, engine, shelves)
    listed = [_show(row, live[row["id"]], counts[f"show:{row['id']}"]) for row in found]
    orders = Counter(await _orders_elsewhere(engine, shelves))
    for one in listed:
        orders.update(one["orders"])
    return {
        "shows": listed,
        "orders": {state: count for state, count in sorted(orders.items()) if count},
        "viewers": sum(one["viewers"] for one in listed),
        "approvals_pending": await _pending(engine),
        "mails": await mail_counts(engine),
        "processes": await asyncio.to_thread(processes.look),
        "alarms": await alarms(engine),
    }


async def one_show(store: Store, engine: AsyncEngine, show: str) -> dict[str, Any]:
    """A show as in the overview, with its picture's figures and `offers: [{id, title, free, held, paying, …}]`."""
    async with reading(engine) as connection:
        found = (await connection.execute(select(shows).where(shows.c.id == show))).mappings().first()
        if found is None:
            raise not_found("show")
        query = select(offers).where(offers.c.shelf == f"show:{show}").order_by(offers.c.id)
        named = [dict(row) for row in (await connection.execute(query)).mappings()]
    live = await presence.read_live(store, show)
    counts = (await live_counts(store, engine, [f"show:{show}"]))[f"show:{show}"]
    figures = {name: live[name] for name in ("width", "height")}
    seen = rfc3339(int(live["updated"])) if live["updated"] else None
    rows = [_offer(row, counts) for row in _with_unnamed(named, counts)]
    return _show(dict(found), live, counts) | figures | {"updated_at": seen, "offers": rows}


async def live_counts(store: Store, engine: AsyncEngine, shelves: list[str]) -> dict[str, Counts]:
    """`n:STATE`, `revenue`, `refunded` and every offer's counters, as the shelves have them now.

    Which names there are is taken from SQL, so that a shelf's thousands of `buyer:…` counters are not read.
    """
    names = await _names(engine, shelves)
    found = await asyncio.gather(*(store.counters(shelf, *names[shelf]) for shelf in shelves))
    return dict(zip(shelves, found, strict=True))


async def _names(engine: AsyncEngine, shelves: Iterable[str]) -> dict[str, list[str]]:
    names = {shelf: ["revenue", "refunded"] for shelf in shelves}
    wanted = or_(_begins("n:"), _begins("loaded:"))
    query = select(counters.c.shelf, counters.c.name).where(counters.c.shelf.in_(names), wanted)
    async with reading(engine) as connection:
        for shelf, name in await connection.execute(query):
            kind, _, rest = name.partition(":")
            names[shelf] += [name] if kind == "n" else [f"{place}:{rest}" for place in PLACES]
    return names


def _begins(prefix: str) -> ColumnElement[bool]:
    """Names that begin with `prefix`, as a range of the primary key (LIKE would not use it)."""
    return (counters.c.name >= prefix) & (counters.c.name < prefix[:-1] + chr(ord(prefix[-1]) + 1))


async def _shows(engine: AsyncEngine) -> list[dict[str, Any]]:
    on_air = case((shows.c.state.in_(ON_AIR), 0), else_=1)
    query = select(shows).where(shows.c.state != "").order_by(on_air, shows.c.created_ms.desc(), shows.c.id)
    async with reading(engine) as connection:
        return [dict(row) for row in (await connection.execute(query.limit(MOST_SHOWS))).mappings()]


async def _orders_elsewhere(engine: AsyncEngine, shelves: list[str]) -> Counts:
    """Orders by state on all other shelves, as last projected."""
    query = select(counters.c.name, func.sum(counters.c.value)).where(_begins("n:"))
    query = query.where(counters.c.shelf.not_in(shelves)).group_by(counters.c.name)
    async with reading(engine) as connection:
        return {name[2:]: int(total) for name, total in await connection.execute(query)}


async def _pending(engine: AsyncEngine) -> int:
    query = select(func.count()).select_from(approvals).where(approvals.c.state == "requested")
    async with reading(engine) as connection:
        return int((await connection.execute(query)).scalar() or 0)


def _show(row: dict[str, Any], live: dict[str, Any], counts: Counts) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "state": row["state"],
        "viewers": live["viewers"],
        "bitrate_kbps": live["bitrate_kbps"],
        "media_delay_ms": _known(live["media_delay_ms"]),
        "picture_age_ms": _known(live["picture_age_ms"]),
        "fps": live["fps"],
        "host": live["host"],
        "warnings": live["warnings"],
        "orders": {name[2:]: value for name, value in sorted(counts.items()) if name.startswith("n:") and value},
        "revenue": {"amount": counts["revenue"], "currency": row["currency"]},
        "refunded": {"amount": counts["refunded"], "currency": row["currency"]},
        "stock_left": sum(value for name, value in counts.items() if name.startswith("free:")),
    }


def _known(ms: float) -> float | None:
    return ms if ms >= 0 else None


def _with_unnamed(named: list[dict[str, Any]], counts: Counts) -> list[dict[str, Any]]:
    """Offers with stock but without an `offer_set` yet are shown too, by their id."""
    known = {row["id"] for row in named}
    stocked = sorted(name.partition(":")[2] for name in counts if name.startswith("loaded:"))
    empty = {"title": "", "product": "", "price": 0, "currency": ""}
    return named + [{"id": offer, **empty} for offer in stocked if offer not in known]


def _offer(row: dict[str, Any], counts: Counts) -> dict[str, Any]:
    places = {place: counts.get(f"{place}:{row['id']}", 0) for place in PLACES}
    price = {"amount": row["price"], "currency": row["currency"]}
    return {"id": row["id"], "product": row["product"], "title": row["title"], "price": price, **places}
