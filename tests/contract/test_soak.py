"""The soak of the stream (scripts/soak stream), short, on the running system; and that it would notice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.soak import stream
from tests.support.system import System

LOOKS = 2

LEAK = """
import sys, time
kept = []
while True:
    kept.append(b"x" * (256 << 10))
    time.sleep(0.05)
"""


@pytest.fixture
def leaking() -> Iterator[int]:
    """A process that keeps 5 MiB a second."""
    with subprocess.Popen([sys.executable, "-c", LEAK]) as process:
        yield process.pid
        process.kill()


async def test_nothing_grows_and_a_leak_would_be_seen(system: System, leaking: int) -> None:
    """With viewers that read, crawl, come and go, no process holds more memory or files and the picture gets no later;
    a process beside them that leaks is named, and nothing else. Seconds cannot tell what only fills, or a machine that has
    just got busy, from what grows; but that is over at a second look, and a leak is not."""
    for _ in range(LOOKS):
        seen = await stream.run(system, seconds=4, every_s=0.2, settle_s=1, more=[leaking])
        grown = seen.faults()
        assert any(fault.startswith(f"process {leaking}, KiB: ") for fault in grown), seen.told()
        if len(grown) == 1:
            return
    pytest.fail("\n".join([*grown, *seen.told()]))
