"""The embedded store: its lock lives as long as Valkey does, its laws are in force, a cut file loads."""

import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from livesale.apps.store import answers, hold
from livesale.kernel.refusals import Refusal
from livesale.settings import load_settings, socket_path

ROOT = Path(__file__).parents[2]
LAWS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory-policy": "noeviction",
    "port": "0",
}


@contextmanager
def running(data: Path):
    started = subprocess.Popen(
        [sys.executable, "-m", "livesale.cli", "store", "--data", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    settings = load_settings(data)
    patient = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 400)
    try:
        redis.Redis.from_url(settings.store_url, retry=patient).ping()
        assert answers(settings)
        yield started, redis.Redis.from_url(settings.store_url, decode_responses=True)
    finally:
        started.kill()
        started.communicate()


def test_lock_is_inherited_by_valkey(tmp_path):
    """While Valkey runs nobody gets the lock; once it is killed the lock is free."""
    with running(tmp_path) as (started, client):
        assert client.info("server")["process_id"] == started.pid
        with pytest.raises(Refusal, match="another store runs"):
            hold(tmp_path)
        started.kill()
        started.wait()
        os.close(hold(tmp_path))


def test_lock_held_by_another_program(tmp_path):
    """The store does not start while anyone else holds the lock."""
    with (tmp_path / "store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", "livesale.cli", "store", "--data", str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"Error: another store runs on {tmp_path} (it holds {tmp_path}/store.lock)\n"


def test_laws_are_in_force(tmp_path):
    """What durability rests on is read back from the running store, and no TCP port is open."""
    with running(tmp_path) as (_, client):
        assert {name: client.config_get(name)[name] for name in LAWS} == LAWS
    assert (tmp_path / "valkey").stat().st_mode & 0o077 == 0


def test_jemalloc_where_there_is_one(tmp_path):
    """The store's memory is jemalloc's on a machine that has it, as one is that ran scripts/test."""
    with running(tmp_path) as (started, _):
        assert "libjemalloc" in Path(f"/proc/{started.pid}/maps").read_text()


def test_cut_off_file(tmp_path):
    """A file that ends in the middle of a write loads up to there: everything acknowledged is in it."""
    with running(tmp_path) as (started, client):
        client.set("sold", "1")
        started.kill()
        started.wait()
    (log,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nso")
    with running(tmp_path) as (_, client):
        assert client.get("sold") == "1"


def test_deep_folder(tmp_path):
    """A folder too deep for a socket's path works by a short link, and only by ours."""
    data = tmp_path / ("d" * 120)
    data.mkdir()
    link = socket_path(data).parent
    with running(data) as (_, client):
        assert client.ping()
        assert link.readlink() == data
    link.unlink()
    link.symlink_to(tmp_path)
    command = [sys.executable, "-m", "livesale.cli", "store", "--data", str(data)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    link.unlink()
    assert (ended.returncode, f"{link} is in the way" in ended.stderr) == (1, True)
