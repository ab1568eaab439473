"""scripts/step: a long step shows that it lives, fails in one line, and ends with the script it is a step of."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STEP = Path(__file__).parents[2] / "scripts" / "step"
TREE = "sleep 600 & echo $! > child; wait"  # a command with a process of its own below it


def step(tmp_path: Path, says: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, STEP, says, *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)


def test_it_says_what_it_does_and_how_long_it_took(tmp_path: Path) -> None:
    """One line before, one after; what the command says is kept to itself."""
    done = step(tmp_path, "counting", "sh", "-c", "echo noise; echo more >&2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "livesale: counting …\nlivesale: counting: 0 s\n"


def test_on_a_terminal_the_seconds_are_counted(tmp_path: Path) -> None:
    """Whoever waits sees that it goes on."""
    ours, theirs = pty.openpty()
    words = [sys.executable, STEP, "waiting", "sh", "-c", "while [ ! -e done ]; do sleep 0.1; done"]
    child = subprocess.Popen(words, cwd=tmp_path, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"2 s" not in said:
        said += os.read(ours, 1000)
    (tmp_path / "done").touch()
    assert child.wait(30) == 0
    os.close(ours)
    assert b"waiting \xe2\x80\xa6 1 s" in said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Collecting x; ERROR: No matching distribution found for x", "ERROR: No matching distribution found for x"),
        ("OSError: [Errno 28] No space left on device; ERROR: failed", "the disk is full"),
        ("npm error code E404; npm error A complete log of this run is somewhere", "npm error code E404"),
        ("", "exit 7"),
    ],
)
def test_a_failure_is_one_line(tmp_path: Path, said: str, why: str) -> None:
    """The line that tells most, and where the rest is kept."""
    lines = "; ".join(f"echo '{line}'" for line in said.split("; "))
    done = step(tmp_path, "installing", "sh", "-c", f"{lines}; exit 7")
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert told[1:] == [f"livesale: installing: failed: {why} (all it said: .cache/failed.log)"]
    assert (tmp_path / ".cache" / "failed.log").exists()


def test_a_command_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """No traceback for a missing program."""
    done = step(tmp_path, "building", "./no-such-program")
    assert (done.returncode, done.stderr) == (1, "livesale: building: failed: No such file or directory\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_step_leaves_nothing(tmp_path: Path, number: int) -> None:
    """Whatever the command had started ends with it."""
    child = subprocess.Popen([sys.executable, STEP, "waiting", "sh", "-c", TREE], cwd=tmp_path)
    started = _started(tmp_path)
    child.send_signal(number)
    assert child.wait(30) == 128 + number
    assert psutil.wait_procs([started], timeout=20)[1] == []


def test_a_killed_script_ends_its_step(tmp_path: Path) -> None:
    """kill -9 of the script: the kernel tells the step, which ends what it started."""
    script = subprocess.Popen(["sh", "-c", f"'{sys.executable}' '{STEP}' waiting sh -c '{TREE}'; true"], cwd=tmp_path)
    started = _started(tmp_path)
    script.kill()
    script.wait()
    assert psutil.wait_procs([started], timeout=20)[1] == []


def _started(folder: Path) -> psutil.Process:
    """The process below the step's command, once it runs."""
    path = folder / "child"
    while not (path.exists() and path.read_text().strip()):
        time.sleep(0.02)
    return psutil.Process(int(path.read_text()))
