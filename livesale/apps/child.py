"""A process of the system: what is to be run, and what is known of it while the supervisor keeps it running."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import msgspec


class Spec(msgspec.Struct, frozen=True):
    """A process to run: `livesale` with `arguments` and more environment.

    `urls`: where it answers, unless it says so itself; `probe`: for what cannot say it is ready.
    """

    name: str
    arguments: list[str]
    environment: dict[str, str]
    urls: list[str] = []
    probe: Callable[[], bool] | None = None


class Child:
    """One process of the system, through all its restarts."""

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.urls = spec.urls
        self.process: Process | None = None
        self.ready = asyncio.Event()
        self.was_ready = False
        self.starts = 0
        self.keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        running = self.process is not None and self.process.returncode is None
        return self.process.pid if self.process and running else None

    def become_ready(self, urls: list[str]) -> None:
        """The process answers."""
        self.urls = urls or self.spec.urls
        self.was_ready = True
        self.ready.set()
