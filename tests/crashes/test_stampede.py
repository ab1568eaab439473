"""20,000 buyers for 1,000 units: nobody is lied to, nobody is lost, and no unit is sold twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crashes import stampede

pytestmark = pytest.mark.timeout(600)


def test_a_stampede(tmp_path: Path) -> None:
    """Exactly 1,000 get one; 19,000 get a plain 409 `sold_out`; no 5xx and no broken connection, by either web."""
    came = asyncio.run(stampede.run(tmp_path))
    print(came)
    assert came.sold == stampede.UNITS
    assert came.refused == {"sold_out": stampede.BUYERS - stampede.UNITS}
    assert came.errors == 0
    assert came.checked == {"oversold": 0, "lost": 0}
    assert len(came.served) == stampede.WEB
    assert all(came.served.values())
