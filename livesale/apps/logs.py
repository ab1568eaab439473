"""Log files of the processes: DATA/log/NAME.log, written by the processes, kept from filling the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

LOG_BYTES = 16 << 20
_TAIL_BYTES = 4_000


def trim(logs: Iterable[Path]) -> None:
    """Copy what outgrew LOG_BYTES to NAME.log.1 and empty it: processes append, so they just go on."""
    for log in logs:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def last_line(log: Path) -> str:
    """The last line a process wrote, for people."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
