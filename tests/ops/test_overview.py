"""The operators' figures: live from the shelves, and honest about what nobody tells."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import OPERATOR, Call
from livesale.ops.overview import one_show, overview
from livesale.ops.presence import read_live, write_live
from livesale.ops.processes import Processes
from livesale.ops.routes import routes
from livesale.store.decision import Counter, Decision
from livesale.store.valkey import Store
from tests.ledger.conftest import Running, archived, story
from tests.ledger.sale import Sale

LIVE = {
    "viewers": 12,
    "bitrate_kbps": 900,
    "media_delay_ms": 40,
    "picture_age_ms": 20,
    "fps": 29.97,
    "width": 640,
    "height": 360,
    "host": "live",
    "warnings": "Key frames are 9 s apart.",
}


async def test_the_overview_adds_up(store: Store, engine: AsyncEngine, running: Running, tmp_path: Path) -> None:
    """Orders by state, revenue, stock and viewers are the shelf's and the studio's."""
    sale = await story(store, engine, running)
    await write_live(store, sale.show, LIVE)
    seen = await overview(store, engine, Processes(tmp_path))
    [show] = seen["shows"]
    assert show == {
        "id": sale.show,
        "title": "Evening",
        "state": "live",
        "viewers": 12,
        "bitrate_kbps": 900,
        "media_delay_ms": 40,
        "picture_age_ms": 20,
        "fps": 29.97,
        "host": "live",
        "warnings": "Key frames are 9 s apart.",
        "orders": {"expired": 1, "held": 1, "paid": 2},
        "revenue": {"amount": 3 * 1999, "currency": "EUR"},
        "refunded": {"amount": 800, "currency": "EUR"},
        "stock_left": 96,
    }
    assert (seen["orders"], seen["viewers"], seen["alarms"]) == (show["orders"], 12, [])


async def test_figures_do_not_wait_for_the_ledger(store: Store, engine: AsyncEngine, running: Running) -> None:
    """An order placed while the ledger is away is counted: the numbers come from the shelf."""
    sale = await story(store, engine, running)
    await sale.hold()
    shown = await one_show(store, engine, sale.show)
    assert shown["orders"]["held"] == 2
    [offer] = shown["offers"]
    assert (offer["title"], offer["price"]) == ("Teapot", {"amount": 1999, "currency": "EUR"})
    places = {place: offer[place] for place in ("free", "held", "paying", "claimed", "loaded")}
    assert places == {"free": 95, "held": 2, "paying": 0, "claimed": 3, "loaded": 100}


async def test_pending_requests_are_counted(
    store: Store, engine: AsyncEngine, running: Running, tmp_path: Path
) -> None:
    """A request to a guardian is pending until it is decided."""
    sale = Sale(store)
    await sale.open()
    first, second = await sale.hold(), await sale.hold()
    await sale.approve(await sale.ask(first), first)
    await sale.ask(second)
    async with running():
        await archived(store, engine, sale.shelf)
    assert (await overview(store, engine, Processes(tmp_path)))["approvals_pending"] == 1


async def test_mails_are_counted_by_how_they_ended(
    store: Store, engine: AsyncEngine, running: Running, tmp_path: Path
) -> None:
    """Of all shelves together: those that wait, and those that will not arrive."""
    for shelf, sent in (("show:4k2c000000", 3), ("person:a000000000", 2)):
        moves = (Counter("mails:sent", sent), Counter("mails:waiting", 1), Counter("mails:refused", 1))
        await store.commit(Decision(shelf, counters=moves))
    async with running():
        for shelf in ("show:4k2c000000", "person:a000000000"):
            await archived(store, engine, shelf)
    told = (await overview(store, engine, Processes(tmp_path)))["mails"]
    assert told == {"waiting": 2, "sent": 5, "refused": 2, "given_up": 0}


async def test_presence_is_forgotten(store: Store) -> None:
    """What a studio told stays for five seconds at most; nobody telling reads as nothing."""
    await write_live(store, "4k2c000000", LIVE)
    told = await read_live(store, "4k2c000000")
    assert told | LIVE == told
    assert 0 < await store.client.pttl("{show:4k2c000000}:live") <= 5_000
    assert (await read_live(store, "nobody0000"))["viewers"] == 0


async def test_an_unknown_show_is_not_found(store: Store, engine: AsyncEngine) -> None:
    """There are no figures of a show nobody created."""
    with pytest.raises(Refusal):
        await one_show(store, engine, "nobody0000")


async def test_processes_up_and_gone_are_told_apart(tmp_path: Path) -> None:
    """A pid of run.json that is no process is down; one that runs has memory and age."""
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    listed = [{"name": "web-1", "pid": os.getpid(), "restarts": 2}, {"name": "edge-1", "pid": gone.pid}]
    (tmp_path / "run.json").write_text(json.dumps({"processes": listed}))
    processes = Processes(tmp_path)
    for _ in range(2):
        up, down = processes.look()
        assert (up["name"], up["up"], up["restarts"]) == ("web-1", True, 2)
        assert up["rss_mib"] > 1
        assert (down["name"], down["up"], down["rss_mib"]) == ("edge-1", False, 0)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"processes": 3}', '{"processes": [1]}'])
def test_a_missing_or_broken_run_file_lists_nothing(tmp_path: Path, content: str | None) -> None:
    """The overview works while nothing is supervised."""
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert Processes(tmp_path).look() == []


async def test_every_route_is_for_operators(store: Store, engine: AsyncEngine, tmp_path: Path) -> None:
    """Nobody else is let in, and each route answers an empty system."""
    boss = Actor("boss000000", OPERATOR)
    for route in routes(store, engine, tmp_path):
        assert route.who == OPERATOR
        if "{show}" not in route.path:
            assert (await route.handler(Call(boss, {}))).status == 200
