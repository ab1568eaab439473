"""Alarms: shelves that the ledger has stopped, as its cursors say. Each is one show or shop on which nothing goes on."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.tables import cursor
from livesale.store.database import reading


async def alarms(engine: AsyncEngine) -> list[dict[str, str]]:
    """`{shelf, reason}` of every shelf that is stopped."""
    query = select(cursor.c.shelf, cursor.c.stopped).where(cursor.c.stopped != "")
    async with reading(engine) as connection:
        return [{"shelf": shelf, "reason": reason} for shelf, reason in await connection.execute(query)]


class AlarmFigures(Collector):
    """Their number for `/metrics`."""

    def __init__(self, stopped: int) -> None:
        self._stopped = stopped

    def collect(self) -> Iterator[Metric]:
        """The family, for the registry."""
        says = "Shelves the ledger refuses to follow: their history differs, look into the audit"
        yield GaugeMetricFamily("livesale_ledger_stopped_shelves", says, self._stopped)


async def alarm_figures(engine: AsyncEngine) -> Collector:
    """What `/metrics` tells of alarms now."""
    return AlarmFigures(len(await alarms(engine)))
