"""The crash tests for as long as one likes: shows with thirty kills each, one after the other, on one system."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.crashes import kills, stampede
from tests.crashes.system import System

KILLS = 30
MINUTE_S = 60


def main() -> int:
    """0 when every law held for so many minutes; else 1, and the last line says with which seed not."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--seed", type=int, help="of the first show; the others follow from it")
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 32)
    ends_s = time.monotonic() + given.minutes * MINUTE_S
    folder = Path(tempfile.mkdtemp(prefix="livesale-soak-"))
    system = System(folder / "data", options=())
    try:
        say(str(asyncio.run(stampede.run(folder))))
        system.start()
        while time.monotonic() < ends_s:
            say(f"{(ends_s - time.monotonic()) / MINUTE_S:.0f} minutes to go")
            asyncio.run(kills.run(system, seed, KILLS, say))
            seed += 1
    except Exception as error:
        say(f"{type(error).__name__}: {error}\nfailed: scripts/soak --seed {seed}; logs and data are in {folder}")
        return 1
    finally:
        system.stop()
    shutil.rmtree(folder)
    return 0


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
