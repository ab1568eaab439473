"""One process of the Procfile: its event loop, its end by signal, and never outliving the supervisor."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import uvloop

from livesale.settings import SUPERVISOR_VARIABLE, Settings

Run = Callable[[Settings], Awaitable[None]]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Garbage in cycles is rare here, and Python's default (700 objects) looks for it after every third request or so:
# a fifth of a busy process's time. At 50,000 the youngest generation is a few MiB.
_GC_THRESHOLDS = (50_000, 20, 20)
# A quiet process needs an hour for 50,000, and what its timeouts and failed STUN checks leave (a traceback, frames, futures)
# piled up meanwhile: 370 KiB a minute in a studio with one show. A look at what is young takes it a millisecond.
TIDY_S = 30.0


def die_with_supervisor() -> None:
    """Let the kernel end this process when the supervisor ends, however that happens.

    Asked for here and not between fork and exec, so the supervisor may have died before: then it is no longer
    our parent, and we leave by ourselves. Ask first, look afterwards. `execve` keeps the request.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(supervisor):
        sys.exit(0)


def open_many_files() -> None:
    """As many file descriptors as this process may have: Debian gives 1,024, and each viewer is two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_process(run: Run, name: str, settings: Settings) -> NoReturn:
    """Run `run` until it ends or a SIGTERM or SIGINT asks it to, and end the process."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format=f"%(asctime)s {settings.instance or name} %(levelname)s %(name)s: %(message)s",
    )
    open_many_files()
    gc.set_threshold(*_GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_asked(run, settings))
    # What mattered is closed. Taking the interpreter apart object by object took seconds on a busy machine.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


async def _until_asked(run: Run, settings: Settings) -> None:
    """A signal cancels `run`, which closes what it opened on its way out."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(run(settings))
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    waiting, tidying = loop.create_task(asked.wait()), loop.create_task(_tidy())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    tidying.cancel()
    if work.done():
        work.result()
        return
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        pass


async def _tidy() -> None:
    """Lets go of garbage in cycles, which nothing else does in a process that makes little of it."""
    while True:
        await asyncio.sleep(TIDY_S)
        gc.collect(1)
