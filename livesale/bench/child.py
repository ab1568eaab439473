"""A process of a measurement: orders in, answers out, one line of JSON each, and what it costs."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import click


class Child:
    """Runs `module` for as long as the context lasts."""

    def __init__(self, module: str, options: dict[str, Any]) -> None:
        self._module = module
        self._options = options

    async def __aenter__(self) -> Child:
        """Starts it and hands it its options."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=64 << 20,
        )  # fmt: skip
        self.tell(self._options)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def tell(self, order: dict[str, Any] | str) -> None:
        """Sends one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def answer(self) -> dict[str, Any]:
        """Waits for one line."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise click.ClickException("a process of the measurement ended before its time")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ask(self, order: dict[str, Any] | str) -> dict[str, Any]:
        """Sends one line and waits for its answer."""
        self.tell(order)
        return await self.answer()
