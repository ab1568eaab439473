"""Mails and pushes: how many wait and how the others ended, on all shelves, as last projected from their counters."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.tables import counters
from livesale.store.database import reading

WAITING = "waiting"
ENDS = ("sent", "refused", "given_up")


async def mail_counts(engine: AsyncEngine, counted: str = "mails") -> dict[str, int]:
    """`{waiting, sent, refused, given_up}`: a rise of the last two means that people do not hear what they must."""
    names = {f"{counted}:{state}": state for state in (WAITING, *ENDS)}
    query = select(counters.c.name, func.sum(counters.c.value)).where(counters.c.name.in_(names))
    async with reading(engine) as connection:
        found = {name: int(value) for name, value in await connection.execute(query.group_by(counters.c.name))}
    return {state: found.get(name, 0) for name, state in names.items()}


class MailFigures(Collector):
    """The same for `/metrics`."""

    def __init__(self, counts: dict[str, int], pushes: dict[str, int]) -> None:
        self._counts = counts
        self._pushes = pushes

    def collect(self) -> Iterator[Metric]:
        """The families, for the registry."""
        ended = CounterMetricFamily("livesale_mails", "Mails that are done with, by how they ended", labels=("result",))
        for state in ENDS:
            ended.add_metric([state], self._counts[state])
        yield ended
        pushed = CounterMetricFamily("livesale_pushes", "Web pushes that are done with, by how they ended", labels=("result",))
        for state in ENDS:
            pushed.add_metric([state], self._pushes[state])
        yield pushed
        yield GaugeMetricFamily("livesale_mails_waiting", "Mails to be sent, or sent again", self._counts[WAITING])


async def mail_figures(engine: AsyncEngine) -> Collector:
    """What `/metrics` tells of mails and pushes now."""
    return MailFigures(await mail_counts(engine), await mail_counts(engine, "pushes"))
