"""The soak of the stream for an hour, or --minutes: figures at the end, and 1 when something grew."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.soak import stream
from tests.support import system as support

EVERY_S = 5.0
SETTLE_S = 180.0  # windows, histories and caches fill, and the host's clock is slewed to ours


def main() -> int:
    """0 when everything stayed level."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    given = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="livesale-soak-"))
    system = support.start(folder / "data")
    try:
        seen = asyncio.run(stream.run(system, given.minutes * 60, EVERY_S, SETTLE_S))
        faults = seen.faults()
    finally:
        support.stop(system)
    print("\n".join([*seen.told(), *(f"FAILED {fault}" for fault in faults)]), flush=True)
    if faults:
        print(f"logs and data are in {folder}", flush=True)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
