"""A running `livesale up` for crash tests: its own DATA and port, a shop with plenty of stock, many buyers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from livesale.accounts.tokens import Claims, Tokens
from livesale.apps.members import open_accounts
from livesale.kernel.clock import DAY_MS
from livesale.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))  # scales every timeout here, for a slow machine
HEALS_WITHIN_S = 10 * PATIENCE
LOADS_WITHIN_S = 30 * PATIENCE
COMES_UP_WITHIN_S = 120 * PATIENCE
SETTLES_WITHIN_S = 40 * PATIENCE
BUYERS = 150
UNITS = 10_000
SHOP = "crash"
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>t</title><link>http://t</link>
<description>t</description>
<item><g:id>pan</g:id><title>Pan</title><description>A pan</description><link>http://t/pan</link>
<g:image_link>http://t/pan.png</g:image_link><g:price>10.00 EUR</g:price><g:quantity>100000</g:quantity>
<g:availability>in_stock</g:availability></item>
<item><g:id>pot</g:id><title>Pot</title><description>A pot</description><link>http://t/pot</link>
<g:image_link>http://t/pot.png</g:image_link><g:price>25.00 EUR</g:price><g:quantity>100000</g:quantity>
<g:availability>in_stock</g:availability></item>
</channel></rss>"""


def free_port() -> int:
    """A port nobody has right now, out of the range from which Linux takes those of outgoing connections."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", random.randint(30_000, 32_700))) as free:
            return int(free.getsockname()[1])


async def until(condition: Callable[[], Awaitable[bool] | bool], within_s: float, what: str) -> float:
    """Seconds until `condition` held; an AssertionError that says `what` when it has not within `within_s`."""
    began = time.monotonic()
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return time.monotonic() - began
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(0.05)


@dataclass
class System:
    """One system on `data`; `start` again after its end finds the same data."""

    data: Path
    options: tuple[str, ...] = ("--demo",)
    port: int = field(default_factory=free_port)
    tokens: dict[str, str] = field(default_factory=dict)
    host: str = ""
    _up: subprocess.Popen[str] | None = None

    @property
    def api(self) -> str:
        """Where programs ask."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def settings(self) -> Settings:
        """As the running processes read them."""
        return load_settings(self.data)

    def start(self) -> None:
        """Come up, and wait for `ready`."""
        words = ["up", *self.options, "--data", str(self.data), "--port", str(self.port)]
        self._up = subprocess.Popen(
            [sys.executable, "-m", "livesale.cli", *words], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=(self.data.parent / "up.err").open("a"),
        )  # fmt: skip
        assert self._up.stdout is not None
        line = self._up.stdout.readline()
        assert line.startswith("ready http://"), (line, (self.data.parent / "up.err").read_text())

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._up and self._up.poll() is None:
            self._up.send_signal(signal.SIGTERM)
            try:
                self._up.wait(30)
            except subprocess.TimeoutExpired:
                self._up.kill()
                self._up.wait()

    def pids(self) -> dict[str, int]:
        """What run.json says runs."""
        listed = json.loads((self.data / "run.json").read_text())["processes"]
        return {one["name"]: one["pid"] for one in listed}

    def kill(self, name: str) -> int:
        """kill -9 of one process; its pid."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_supervisor(self) -> list[psutil.Process]:
        """kill -9 of `up` itself; the processes it had."""
        assert self._up is not None
        children = psutil.Process(self._up.pid).children(recursive=True)
        assert {child.pid for child in children} >= set(self.pids().values())
        self._up.kill()
        self._up.wait()
        return children

    def log_of(self, name: str) -> str:
        """The end of a process's log, for a failure's message."""
        return (self.data / "log" / f"{name}.log").read_text()[-3000:]

    async def add_people(self) -> None:
        """Buyers of their own account each, and a host; tokens as the token command signs them."""
        settings = self.settings
        signer = Tokens(settings.key("token.key"))
        async with open_accounts(settings) as accounts:

            async def add(name: str, role: str) -> str:
                made = await accounts.create_account(
                    email=f"{name}@crash.example", name=name, country="DE", born=date(1990, 1, 1), roles=(role,),
                    method="verified", issuer="test",
                )  # fmt: skip
                now_ms = int(time.time() * 1000)
                claims = Claims("token", made.id, (role,), "DE", now_ms, now_ms + DAY_MS, f"s-{name}", now_ms)
                self.tokens[name] = signer.sign(claims)
                return str(made.id)

            await add("host", "host")
            await add("liar", "viewer")  # who turns out to be a minor, and buys nothing else
            for number in range(BUYERS):
                await add(f"buyer{number}", "viewer")

    def import_feed(self) -> None:
        """The shop's products, by the command people use."""
        feed = self.data.parent / "feed.xml"
        feed.write_text(FEED)
        done = self.command("feed", "import", str(feed), "--shop", SHOP, "--owner", "host@crash.example")
        assert done.returncode == 0, done.stdout + done.stderr

    def verify(self, show: str) -> subprocess.CompletedProcess[str]:
        """`livesale show verify`."""
        return self.command("show", "verify", show)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of livesale on this DATA."""
        return subprocess.run(
            [sys.executable, "-m", "livesale.cli", *words, "--data", str(self.data)], cwd=ROOT, capture_output=True,
            text=True, timeout=100 * PATIENCE,
        )  # fmt: skip


async def call(
    session: aiohttp.ClientSession, method: str, url: str, token: str = "", body: Any = None, key: str = ""
) -> tuple[int, Any]:
    """(status, JSON) of one request; status 0 when no answer came."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if key:
        headers["Idempotency-Key"] = key
    try:
        async with session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)
    except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError):
        return 0, None
