"""`livesale up` as people run it: it comes up, holds DATA, says in one line why it cannot, leaves nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from livesale.apps.running import read_running
from livesale.apps.store import answers
from livesale.cli import cli
from livesale.settings import load_settings, socket_path

ROOT = Path(__file__).parents[2]
STORE_ONLY = "store: livesale store\n"


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "livesale.cli", *map(str, words)]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


@pytest.fixture
def procfile(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text(STORE_ONLY)
    return path


@contextmanager
def system(data: Path, procfile: Path, *words: str):
    """A running `livesale up`; killed at the end if it still is."""
    started = subprocess.Popen(
        command("up", "--data", data, "--procfile", procfile, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert started.stdout is not None
        line = started.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), (line, started.stderr and started.stderr.read())
        yield started
    finally:
        started.kill()
        started.communicate()


def test_up_and_down(tmp_path, procfile):
    """It lists what runs, and a SIGTERM ends everything cleanly: no process, no run.json, no socket."""
    data = tmp_path / "data"
    with system(data, procfile) as up:
        (store,) = json.loads((data / "run.json").read_text())["processes"]
        assert store["name"] == "store"
        assert psutil.Process(store["pid"]).ppid() == up.pid
        assert store["urls"] == [f"unix://{data}/valkey.sock"]
        up.send_signal(signal.SIGTERM)
        assert up.wait(20) == 0
    assert not psutil.pid_exists(store["pid"])
    assert not (data / "run.json").exists()
    assert not socket_path(data).exists()


def test_a_second_one_says_who_holds_the_folder(tmp_path, procfile):
    """A second `up` on the same DATA ends with one line that names the first; the first goes on."""
    data = tmp_path / "data"
    with system(data, procfile, "--port", "18099") as up:
        second = run("up", "--data", data, "--procfile", procfile)
        assert second.returncode == 1
        assert second.stderr == (
            f"Error: another livesale up runs on {data} (pid {up.pid}, http://127.0.0.1:18099); "
            "stop it or give another --data\n"
        )
        assert up.poll() is None


def test_killed_supervisor_leaves_nothing_and_can_start_again(tmp_path, procfile):
    """After kill -9 of the supervisor its store is gone, nothing passes for running, `up` works again."""
    data = tmp_path / "data"
    with system(data, procfile) as up:
        running = read_running(data)
        assert running is not None
        store = psutil.Process(running.processes[0].pid)
        up.kill()
        up.wait()
        assert psutil.wait_procs([store], timeout=20)[1] == []
        assert read_running(data) is None
    with system(data, procfile):
        pass


def test_killed_store_comes_back(tmp_path, procfile):
    """A store that is killed runs again under the same supervisor, with what was acknowledged."""
    import redis

    data = tmp_path / "data"
    with system(data, procfile):
        client = redis.Redis.from_url(load_settings(data).store_url, retry_on_error=[redis.ConnectionError])
        assert client.set("sold", "1")
        running = read_running(data)
        assert running is not None
        first = psutil.Process(running.processes[0].pid)
        first.kill()
        psutil.wait_procs([first], timeout=20)
        retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 400)
        again = redis.Redis.from_url(
            load_settings(data).store_url,
            retry=retry,
            retry_on_error=[redis.ConnectionError, redis.BusyLoadingError, FileNotFoundError],
        )
        assert again.get("sold") == b"1"


def test_occupied_port(tmp_path):
    """A port that another program has is said in one line with that program's pid, and nothing starts."""
    procfile = tmp_path / "Procfile"
    procfile.write_text(STORE_ONLY + "web: livesale web\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("up", "--data", tmp_path / "data", "--procfile", procfile, "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: port {port} on 127.0.0.1 is taken by ")
    assert f"(pid {os.getpid()})" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "data" / "valkey").exists()


def test_process_that_cannot_start(tmp_path):
    """A process that ends at once ends the start with exit 1 and its last words; the store stops."""
    procfile = tmp_path / "Procfile"
    procfile.write_text(STORE_ONLY + "nosuch: livesale nosuch\n")
    ended = run("up", "--data", tmp_path / "data", "--procfile", procfile)
    assert ended.returncode == 1
    assert "nosuch does not start: Error: No such command 'nosuch'." in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert not socket_path(tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [("web: gunicorn web\n", "line 1: expected `NAME: livesale NAME`"), ("store: livesale web\n", "line 1")],
)
def test_wrong_procfile(tmp_path, text, says):
    """A line of the Procfile that is none of ours is refused with its number."""
    procfile = tmp_path / "Procfile"
    procfile.write_text(text)
    ended = run("up", "--data", tmp_path / "data", "--procfile", procfile)
    assert (ended.returncode, says in ended.stderr) == (1, True)


def test_two_stores_on_one_folder(tmp_path, procfile):
    """A store started by hand on a folder that has one is refused, also after its supervisor is gone."""
    data = tmp_path / "data"
    with system(data, procfile):
        ended = run("store", "--data", data)
    assert ended.returncode == 1
    assert ended.stderr == f"Error: another store runs on {data} (it holds {data}/store.lock)\n"


def test_nobody_reads_what_it_says(tmp_path, procfile):
    """`livesale up | head -1`: closed pipes do not end the system, which restarts its store and stops when asked."""
    data = tmp_path / "data"
    reader, writer = os.pipe()
    words = command("up", "--data", data, "--procfile", procfile)
    up = subprocess.Popen(words, stdout=writer, stderr=writer, cwd=ROOT)
    os.close(writer)
    os.close(reader)
    try:
        for _ in range(2):  # the second store comes after a line about the first one's end
            store = _await_store(up, data)
            store.kill()
            psutil.wait_procs([store], timeout=20)
        _await_store(up, data)
        up.send_signal(signal.SIGTERM)
        assert up.wait(20) == 0
    finally:
        up.kill()
        up.wait()


def _await_store(up: subprocess.Popen[bytes], data: Path) -> psutil.Process:
    """The store of a system, once it answers."""
    deadline = time.monotonic() + 30
    while True:
        assert up.poll() is None, "it ended"
        assert time.monotonic() < deadline, "the store does not answer"
        if (running := read_running(data)) is not None and running.processes and answers(load_settings(data)):
            return psutil.Process(running.processes[0].pid)
        time.sleep(0.05)


def test_a_full_disk_is_one_line(tmp_path, procfile, monkeypatch):
    """Without room nothing is started, and the line says how much is needed."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5 << 20})())
    said = CliRunner().invoke(cli, ["up", "--data", str(tmp_path / "data"), "--procfile", str(procfile)])
    assert (said.exit_code, said.stderr.count("\n")) == (1, 1)
    assert "only 5 MiB are free" in said.stderr
    assert not (tmp_path / "data" / "keys").exists()


def test_a_data_folder_that_cannot_be_one_is_one_line(tmp_path, procfile):
    """A file in the way, or a folder that takes nothing (`/proc`): its path and why, no traceback."""
    (tmp_path / "file").write_text("")
    for data in (tmp_path / "file" / "data", Path("/proc/livesale")):
        ended = run("up", "--data", data, "--procfile", procfile)
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"Error: {data}: ")
        assert ended.stderr.count("\n") == 1
