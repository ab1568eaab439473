"""Operators over HTTP: the overview, one show, the audit, the requests to guardians."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec import convert
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.ids import is_name
from livesale.kernel.refusals import not_found
from livesale.kernel.routing import OPERATOR, Answer, Call, Route
from livesale.ledger import reads
from livesale.ops.audit import list_audit
from livesale.ops.overview import one_show, overview
from livesale.ops.processes import Processes
from livesale.ops.views import ApprovalsListed, AuditPage, OneShow, Overview
from livesale.store.valkey import Store


def routes(store: Store, engine: AsyncEngine, data: Path) -> list[Route]:
    """The room's operations; `data` is the folder that holds run.json."""
    processes = Processes(data)

    async def see_overview(call: Call) -> Answer:
        return Answer(convert(await overview(store, engine, processes), Overview))

    async def see_show(call: Call) -> Answer:
        if not is_name(call.path["show"]):
            raise not_found("show")
        return Answer(convert(await one_show(store, engine, call.path["show"]), OneShow))

    async def see_audit(call: Call) -> Answer:
        return Answer(convert(await list_audit(engine, **reads.page_query(call.query)), AuditPage))

    async def see_approvals(call: Call) -> Answer:
        page = reads.page_query(call.query)
        listed = await reads.list_approvals(engine, None, call.query.get("state"), **page)
        return Answer(convert(listed, ApprovalsListed))

    reading = partial(Route, "GET", who=OPERATOR)
    paged = ("limit", "after")
    return [
        reading(
            "/ops/overview",
            see_overview,
            "Shows, orders, viewers and processes; media_delay_ms is from studio to hub",
            answer=Overview,
        ),
        reading("/ops/shows/{show}", see_show, "One show with the stock of each offer", answer=OneShow),
        reading("/ops/audit", see_audit, "The audit, newest first", answer=AuditPage, query=paged),
        reading(
            "/ops/approvals",
            see_approvals,
            "Requests to guardians, newest first",
            answer=ApprovalsListed,
            query=(*paged, "state"),
        ),
    ]
