"""Thirty kills in one rush: nothing acknowledged is lost, nothing sold twice, no money taken that is not booked."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.crashes import kills
from tests.crashes.system import System

KILLS = 30
LEAST_HOLDS = KILLS * kills.HOLDS_BETWEEN[0]

pytestmark = pytest.mark.timeout(900)


def test_many_kills(tmp_path: Path) -> None:
    """kill -9 of store, web, worker, paysim and supervisor at random moments, answers lost on the way: the buyers' own
    list of what was acknowledged is right, and so are shelf, ledger and the provider's book.
    """
    system = System(tmp_path / "data", options=())
    system.start()
    try:
        outcome = asyncio.run(kills.run(system, random.SystemRandom().randrange(1 << 32), KILLS))
    finally:
        system.stop()
    assert set(outcome.kills) == {*kills.OFTEN, kills.SELDOM}
    assert sum(outcome.kills.values()) == KILLS
    assert outcome.rush.holds >= LEAST_HOLDS
    assert outcome.rush.told_again > 0
