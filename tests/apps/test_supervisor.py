"""The supervisor with real processes: killed ones come back, stopped ones stay away, nothing outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from livesale.apps.child import Spec
from livesale.apps.supervisor import StartFailed, Supervisor

ROOT = Path(__file__).parents[2]
CHILD = textwrap.dedent(
    """
    import os, signal, sys, time
    from livesale.apps.process import die_with_supervisor
    from livesale.apps.ready import notify_ready
    die_with_supervisor()
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "broken" in sys.argv:
        sys.exit("no such luck")
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else lambda *_: sys.exit(
        print("stopped", sys.argv[1], time.monotonic_ns(), flush=True)))
    notify_ready(*(["http://said"] if "says" in sys.argv else []))
    while True:
        signal.pause()
    """
)


class Bench:
    """A supervisor whose processes are CHILD with arguments."""

    def __init__(self, folder: Path) -> None:
        script = folder / "child.py"
        script.write_text(CHILD)
        self.said: list[str] = []
        self.changes = 0
        self.folder = folder
        self.supervisor = Supervisor(folder, self.said.append, self._changed, (sys.executable, str(script)))

    def _changed(self) -> None:
        self.changes += 1

    def start(self, name: str, *words: str):
        return self.supervisor.start(Spec(name, [name, *words], {"PYTHONPATH": str(ROOT)}, ["http://usual"]))

    async def ready(self, *children) -> None:
        await self.supervisor.until_ready(list(children), 30)


@pytest.fixture
async def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    await made.supervisor.stop()


async def test_killed_process_comes_back(bench):
    """A process that is killed runs again, with a new pid, and answers."""
    child = bench.start("web")
    await bench.ready(child)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    while child.pid in (first, None):
        await asyncio.sleep(0.01)
    await bench.ready(child)
    assert child.pid != first
    assert child.starts == 2
    assert "web ended (signal SIGKILL); starts again in 0.2 s" in bench.said


async def test_broken_process_is_named_with_its_last_words(bench):
    """A process that never comes up ends the wait with the line that says why."""
    child = bench.start("web", "broken")
    with pytest.raises(StartFailed, match="web does not start: no such luck"):
        await bench.ready(child)


async def test_pauses_grow(bench):
    """Each further end of a process that does not last makes the pause longer."""
    child = bench.start("web", "broken")
    with pytest.raises(StartFailed):
        await bench.ready(child)
    assert [line[-5:] for line in bench.said[:3]] == ["0.2 s", "0.4 s", "0.8 s"]


async def test_urls_are_what_the_process_says(bench):
    """A process may say where it answers; one that does not is listed at its usual place."""
    silent, telling = bench.start("a"), bench.start("b", "says")
    await bench.ready(silent, telling)
    assert (silent.urls, telling.urls) == (["http://usual"], ["http://said"])


async def test_stop_is_in_reverse_order(bench):
    """What was started last is asked to stop first, and has stopped before the next one is asked."""
    names = ["store", "web", "edge"]
    await bench.ready(*[bench.start(name) for name in names])
    await bench.supervisor.stop()
    stopped = {name: int((bench.folder / f"{name}.log").read_text().split()[2]) for name in names}
    assert stopped["edge"] < stopped["web"] < stopped["store"]


async def test_deaf_process_is_killed(bench, monkeypatch):
    """A process that ignores SIGTERM does not hold up the stop."""
    monkeypatch.setattr("livesale.apps.supervisor.GRACE_S", 0.2)
    monkeypatch.setattr("livesale.apps.supervisor.LEAST_GRACE_S", 0.2)
    child = bench.start("web", "stubborn")
    await bench.ready(child)
    pid = child.pid
    await bench.supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert "web did not stop when asked; killed" in bench.said


async def test_stop_during_a_pause_is_at_once(bench):
    """A process that waits to be started again is not started any more."""
    child = bench.start("web", "broken")
    while child.starts < 3 or child.pid is not None:
        await asyncio.sleep(0.01)
    await bench.supervisor.stop()
    assert child.starts == 3


async def test_descriptors_do_not_leak(bench):
    """Restarts leave no pipe behind."""
    child = bench.start("web")
    await bench.ready(child)
    before = psutil.Process().num_fds()
    os.kill(child.pid, signal.SIGKILL)
    while child.starts < 2:
        await asyncio.sleep(0.01)
    await bench.ready(child)
    assert psutil.Process().num_fds() <= before


SUPERVISOR = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from livesale.apps.child import Spec
    from livesale.apps.supervisor import Supervisor
    folder, wait = Path(sys.argv[1]), sys.argv[2] == "wait"

    async def main():
        supervisor = Supervisor(folder, print, lambda: None, (sys.executable, str(folder / "child.py")))
        children = [supervisor.start(Spec(name, [name, "stubborn"], {})) for name in ("a", "b")]
        if wait:
            await supervisor.until_ready(children, 30)
        while not all(child.pid for child in children):
            await asyncio.sleep(0)
        print(*[child.pid for child in children], flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())
    """
)


@pytest.mark.parametrize("when", ["wait", "at once"])
def test_nothing_outlives_a_killed_supervisor(tmp_path, when):
    """kill -9 of the supervisor ends its processes too, even those that have hardly begun to run."""
    (tmp_path / "child.py").write_text(CHILD)
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path), when],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert supervisor.stdout is not None
    children = [psutil.Process(int(pid)) for pid in supervisor.stdout.readline().split()]
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert len(children) == 2
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
