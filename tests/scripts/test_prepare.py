"""scripts/prepare on machines that lack something: one line says what, and what is half made is made again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
TOOLS = ("sh", "cat", "sha256sum", "cut", "mkdir", "rm", "env", "cp", "touch", "dirname", "chmod")
# A Python that makes environments of itself, and installs by making the program.
PYTHON = f"""#!/bin/sh
case "$*" in
  *"import venv, ensurepip"*) [ ! -e no-ensurepip ] ;;
  *"-m venv"*) echo "made" >> log; mkdir -p .venv/bin; rm -f .venv/bin/python; cp "$0" .venv/bin/python ;;
  *"-m pip --version"*) [ ! -e no-pip ] ;;
  *"pip install"*) echo "installed" >> log; touch .venv/bin/livesale; chmod +x .venv/bin/livesale ;;
  *) exec {sys.executable} "$@" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with a PATH of its own."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    for name, text in {"python3": PYTHON, "id": "#!/bin/sh\necho 1000\n"}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def prepare(machine: Path) -> tuple[int, str]:
    """Exit code and what is said when `prepare_python` runs."""
    done = subprocess.run(
        [str(machine / "bin" / "sh"), "-euc", ". scripts/prepare; prepare_python"],
        cwd=machine, env={"PATH": str(machine / "bin")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def did(machine: Path) -> list[str]:
    """What was done since the last look."""
    log = machine / "log"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_a_second_time_nothing_is_done(machine: Path) -> None:
    """The environment is made once and used again, without a word."""
    assert prepare(machine)[0] == 0
    assert did(machine) == ["made", "installed"]
    assert prepare(machine) == (0, "")
    assert did(machine) == []


def test_no_python_is_one_line(machine: Path) -> None:
    """What to install, where Python is missing or too old."""
    (machine / "bin" / "python3").unlink()
    code, said = prepare(machine)
    assert (code, said.count("\n")) == (1, 1)
    assert "Python 3.11 or newer is needed" in said


def test_no_ensurepip_is_one_line(machine: Path) -> None:
    """Debian keeps it in a package of its own, which is named."""
    (machine / "no-ensurepip").touch()
    code, said = prepare(machine)
    assert (code, said.count("\n")) == (1, 1)
    assert f"python3.{sys.version_info.minor}-venv is missing" in said


def test_a_python_that_is_gone(machine: Path) -> None:
    """An environment whose Python was removed is made anew, though its program and its stamp are still there."""
    prepare(machine)
    did(machine)
    (machine / ".venv" / "bin" / "python").unlink()
    os.symlink("/nonexistent/python3", machine / ".venv" / "bin" / "python")
    assert prepare(machine)[0] == 0
    assert did(machine) == ["made", "installed"]


def test_half_an_environment(machine: Path) -> None:
    """One that was interrupted before it had pip is made anew; one interrupted while installing installs again."""
    prepare(machine)
    did(machine)
    shutil.rmtree(machine / ".cache")
    assert prepare(machine)[0] == 0
    assert did(machine) == ["installed"]
    shutil.rmtree(machine / ".cache")
    (machine / "no-pip").touch()
    prepare(machine)
    assert did(machine) == ["made", "installed"]
