"""One process: it says once that it answers, closes what it opened when asked to end, and fails loudly."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from livesale.apps.ready import notify_ready

ROOT = Path(__file__).parents[2]
PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from livesale.apps.process import run_process
    from livesale.apps.ready import notify_ready
    from livesale.settings import load_settings

    async def run(settings):
        print(type(asyncio.get_running_loop()).__module__, flush=True)
        if "fails" in sys.argv:
            raise RuntimeError("no such luck")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            print("closed", flush=True)

    run_process(run, "web", load_settings())
    """
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end(number):
    """On SIGTERM or SIGINT the process closes what it opened and exits 0; it runs on uvloop."""
    started = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert started.stdout is not None
    assert started.stdout.readline() == "uvloop\n"
    started.send_signal(number)
    assert started.communicate(timeout=20)[0] == "closed\n"
    assert started.returncode == 0


def test_files_for_many_viewers():
    """A process may open as many files as the machine lets it, not the 1,024 a shell gives."""
    program = "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (64, r.getrlimit(r.RLIMIT_NOFILE)[1]))\n"
    told = "    print(resource.getrlimit(resource.RLIMIT_NOFILE)); os.kill(os.getpid(), 15)"
    program += PROGRAM.replace("import asyncio, sys", "import asyncio, os, resource, sys").replace(
        "    print(type(asyncio.get_running_loop()).__module__, flush=True)", told
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    soft, hard = ended.stdout.splitlines()[0].strip("()").split(", ")
    assert soft == hard


def test_a_failure_is_not_swallowed():
    """A process that fails ends with an error, so that the supervisor starts it again."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "fails"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode != 0
    assert "no such luck" in ended.stderr


def test_readiness_is_said_once(monkeypatch):
    """The first call tells the supervisor, a second one and one without a supervisor do nothing."""
    heard, said = os.pipe()
    monkeypatch.setenv("LIVESALE_READY_FD", str(said))
    notify_ready("http://a", "ws://b")
    notify_ready("http://c")
    assert os.read(heard, 1000) == b'{"urls": ["http://a", "ws://b"]}'
    assert os.read(heard, 1000) == b""
    os.close(heard)


def test_garbage_of_a_quiet_process_goes():
    """What lies in a cycle is let go of soon, in a process that makes too little for Python to look for it."""
    program = PROGRAM.replace("async def run(settings):", "\n".join((
        "import livesale.apps.process, weakref",
        "livesale.apps.process.TIDY_S = 0.05",
        "class Ring: pass",
        "async def run(settings):",
        "    ring = Ring(); ring.itself = ring; gone = weakref.ref(ring); del ring",
        "    while gone() is not None:",
        "        await asyncio.sleep(0.01)",
    )))  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "uvloop\n"
        started.terminate()
