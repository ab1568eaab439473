"""Readiness: how a process tells the supervisor that it answers, over a pipe it was given."""

from __future__ import annotations

import gc
import json
import os

from livesale.settings import READY_VARIABLE


def notify_ready(*urls: str) -> None:
    """Say once that this process answers, and under which `urls` (they go into DATA/run.json)."""
    gc.freeze()  # what is there by now stays: the collector need not look at it again
    number = os.environ.pop(READY_VARIABLE, "")
    if not number:
        return
    with os.fdopen(int(number), "wb") as pipe:
        pipe.write(json.dumps({"urls": urls}).encode())
