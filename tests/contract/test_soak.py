"""The soak of the stream (scripts/soak stream), short, on the running system; and that it would notice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.soak import stream
from tests.support.system import System

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
    a process beside them that leaks is named, and nothing else."""
    seen = await stream.run(system, seconds=4, every_s=0.2, settle_s=1, more=[leaking])
    (fault,) = seen.faults()
    assert fault.startswith(f"process {leaking}, KiB: "), seen.told()
