"""The supervisor: starts processes, starts them again when they end, and stops them in reverse order.

Law: it never waits for one process while another needs it, and what it started ends with it (`process.py`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from pathlib import Path

from livesale.apps.child import Child, Spec
from livesale.apps.logs import last_line
from livesale.settings import READY_VARIABLE, SUPERVISOR_VARIABLE

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
STEADY_S = 10.0  # a process that ran this long starts afresh with the first pause
GIVE_UP_STARTS = 4  # of a process that has never been ready: it is broken, not unlucky
GRACE_S = 6.0  # for all of them together to stop by themselves
PROBE_EVERY_S = 0.05
STEP_S = 1.5  # before the next one is asked too
LEAST_GRACE_S = 2.0  # for the last one, which is the store


class StartFailed(Exception):
    """A process does not come up; the message has the last line it wrote."""


class Supervisor:
    """Keeps processes running. `say` gets lines for people, `changed` is called when a pid or url changes."""

    def __init__(
        self,
        logs: Path,
        say: Callable[[str], None],
        changed: Callable[[], None],
        program: tuple[str, ...] = (sys.executable, "-m", "livesale.cli"),
    ) -> None:
        self._logs = logs
        self._program = program
        self._say = say
        self._changed = changed
        self._stopping = asyncio.Event()
        self.children: list[Child] = []

    def start(self, spec: Spec) -> Child:
        """Run `spec` from now on."""
        child = Child(spec, self._logs / f"{spec.name}.log")
        self.children.append(child)
        child.keeping = asyncio.create_task(self._keep(child), name=f"keep {spec.name}")
        return child

    async def until_ready(self, children: list[Child], timeout_s: float) -> None:
        """Wait until all `children` answer; StartFailed when one cannot, or has not within `timeout_s`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while late := [child for child in children if not child.ready.is_set()]:
            for child in late:
                if not child.was_ready and child.starts >= GIVE_UP_STARTS:
                    raise StartFailed(
                        f"{child.spec.name} does not start: {last_line(child.log)} ({child.log})"
                    )
            if asyncio.get_running_loop().time() > deadline:
                raise StartFailed(f"{late[0].spec.name} is not ready after {timeout_s:g} s ({late[0].log})")
            await _either(late[0].ready, 0.1)

    async def stop(self) -> None:
        """End all in reverse order: each is asked when the one before has ended, or is slow about it.

        The first one started, the store, is asked when all others are gone, so that their last words reach it.
        """
        self._stopping.set()
        deadline = asyncio.get_running_loop().time() + GRACE_S
        first, later = self.children[:1], self.children[1:]
        for child in reversed(later):
            _signal(child, signal.SIGTERM)
            await self._ended([child], min(deadline, asyncio.get_running_loop().time() + STEP_S))
        await self._end(later, deadline)
        for child in first:
            _signal(child, signal.SIGTERM)
        await self._end(first, max(deadline, asyncio.get_running_loop().time() + LEAST_GRACE_S))

    async def _end(self, children: list[Child], deadline: float) -> None:
        """Wait until `children` have ended; at the deadline by force."""
        for child in await self._ended(children, deadline):
            self._say(f"{child.spec.name} did not stop when asked; killed")
            _signal(child, signal.SIGKILL)
        await self._ended(children, None)

    async def _ended(self, children: list[Child], deadline: float | None) -> list[Child]:
        """Those of `children` that still run at the deadline, or when all have ended none."""
        keeping = [child.keeping for child in children if child.keeping is not None]
        if keeping:
            now = asyncio.get_running_loop().time()
            await asyncio.wait(keeping, timeout=None if deadline is None else max(0.0, deadline - now))
        return [child for child in children if child.keeping is not None and not child.keeping.done()]

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            born = loop.time()
            why = await self._run_once(child)
            self._changed()
            if self._stopping.is_set():
                return
            if loop.time() - born > STEADY_S:
                pause = FIRST_PAUSE_S
            self._say(f"{child.spec.name} ended ({why}); starts again in {pause:.1f} s")
            await _either(self._stopping, pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _run_once(self, child: Child) -> str:
        """Start the process and see it through; returns why it ended."""
        told, tell = os.pipe()
        try:
            child.process = await self._spawn(child, tell)
        except OSError as error:
            os.close(told)
            return f"not started: {error.strerror}"
        finally:
            os.close(tell)
            child.starts += 1
        self._changed()
        if self._stopping.is_set():
            child.process.terminate()
        watch = asyncio.create_task(self._watch_ready(child, told))
        code = await child.process.wait()
        child.ready.clear()
        watch.cancel()
        await asyncio.wait([watch])
        os.close(told)
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"

    async def _spawn(self, child: Child, tell: int) -> Process:
        """A process of its own group, so that Ctrl-C in the terminal reaches only the supervisor."""
        told = {SUPERVISOR_VARIABLE: str(os.getpid()), READY_VARIABLE: str(tell), "PYTHONUNBUFFERED": "1"}
        with child.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._program, *child.spec.arguments,
                env={**os.environ, **child.spec.environment, **told}, pass_fds=(tell,), process_group=0,
                stdin=DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def _watch_ready(self, child: Child, told: int) -> None:
        urls: list[str] = []
        if child.spec.probe is None:
            urls = await _message(told)
        else:
            while not await asyncio.to_thread(child.spec.probe):
                await asyncio.sleep(PROBE_EVERY_S)
        child.become_ready(urls)
        self._changed()


async def _message(told: int) -> list[str]:
    """The urls a process says it answers at; waits for good when it closes the pipe without a word."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(told, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(told)
    if text := os.read(told, 65_536):
        return list(json.loads(text)["urls"])
    return await loop.create_future()  # type: ignore[no-any-return]


async def _either(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):  # not wait_for, which in 3.11 may swallow a cancellation
            await event.wait()
    except TimeoutError:
        pass


def _signal(child: Child, number: int) -> None:
    if child.process is not None and child.process.returncode is None:
        child.process.send_signal(number)
