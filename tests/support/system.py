"""The whole system as a user starts it: one `livesale up --demo` a session, and the ways tests talk to it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from livesale.apps import commands, members
from livesale.settings import Settings, read_settings
from tests.accounts.issuer import ISSUER, TRUSTED
from tests.support.described import Described

ROOT = Path(__file__).parent.parent.parent
READY_S = 90  # below the time a test has, so that a failure is told as one
STOP_S = 30
PATIENCE_S = 30
SHIP_TO = {"name": "Alex", "street": "Weg 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
CARD = {"method": "card", "token": "pm_ok"}

T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: `body` is decoded JSON, or the bytes of anything else."""

    status: int
    body: Any
    headers: dict[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def code(self) -> str:
        """A problem's code."""
        return str(self.body["code"])


@dataclass(frozen=True)
class Api:
    """`/api/v1` as one caller sees it; every POST gets a fresh Idempotency-Key unless one is given.

    Every answer is judged by the system's own openapi.json: what is sent is what is described.
    """

    base: str
    token: str | None = None

    def get(self, path: str, **options: Any) -> Reply:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.call("POST", path, body, **options)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        """The answer, whatever its status; `path` is under /api/v1 unless it begins with two slashes."""
        url = self.base + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if method == "POST":
            sent["Idempotency-Key"] = key or secrets.token_hex(12)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                reply = _reply(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            reply = _reply(error.code, error.read(), dict(error.headers))
        kind = reply.headers.get("content-type", "")
        if not kind.startswith("text/html"):  # pages are for people
            faults = _described(self.base).faults(method, url.removeprefix(self.base), reply.status, kind, reply.body)
            assert not faults, faults
        return reply

    def did(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The body of an answer that has to be a success."""
        answer = self.call(method, path, body, **options)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body

    def hold(self, show: str, offer: str, quantity: int = 1, **options: Any) -> Reply:
        """Hold units of one offer."""
        return self.post(f"/shows/{show}/orders", {"lines": [{"offer": offer, "quantity": quantity}]}, **options)

    def check_out(self, order: dict[str, Any], token: str | None = "pm_ok", **options: Any) -> Reply:
        """Confirm an order, at its total."""
        body = {"ship_to": SHIP_TO, "price_total": order["total"]}
        if token:
            body["payment"] = {"method": "card", "token": token}
        return self.post(f"/orders/{order['id']}/checkout", body, **options)


@dataclass
class System:
    """A running system; `url` is what it printed as ready."""

    url: str
    data: Path
    process: subprocess.Popen[str]
    env: dict[str, str] = field(default_factory=dict)  # settings it was started with
    tokens: dict[str, str] = field(default_factory=dict)
    turn: int = 0  # new shows take products in turn, so that no shop's shelf runs empty

    @property
    def password(self) -> str:
        return (self.data / "keys" / "demo.password").read_text().strip()

    @cached_property
    def settings(self) -> Settings:
        """As its processes read them."""
        return read_settings(self.data, environ={**_surroundings(), **self.env})[0]

    @property
    def anyone(self) -> Api:
        return Api(self.url)

    def cli(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command of livesale on this system's DATA."""
        return livesale(*arguments, env={"LIVESALE_DATA": str(self.data), **self.env, **(env or {})})

    def token(self, email: str, fresh: bool = False) -> str:
        """A token as `livesale token` makes it, without the 0.7 s of CPU that a command takes; remembered unless fresh."""
        if fresh or email not in self.tokens:
            made = _aside(members.token(self.settings, email=email, days=None, fresh=fresh))
            if fresh:
                return made
            self.tokens[email] = made
        return self.tokens[email]

    def api(self, who: str, fresh: bool = False) -> Api:
        """The API as a demo account (`host`, `adult`, …) or any e-mail address sees it."""
        return Api(self.url, self.token(who if "@" in who else f"{who}@demo.example", fresh))

    def demo_show(self) -> dict[str, Any]:
        """The demo's show, once it is live with a pin."""

        def look() -> dict[str, Any] | None:
            found = self.anyone.did("GET", "/shows?state=live&shop=demo&limit=200")["items"]
            return next((show for show in found if show["pins"] and len(show["offers"]) >= 10), None)

        return until(look, "the demo's host to be on air")

    def new_show(self, title: str, *offers: dict[str, Any], start: bool = True) -> dict[str, Any]:
        """A show of the demo's host with offers `{quantity, amount?, per_buyer_limit?}` of products anyone may buy."""
        host = self.api("host")
        show = host.did("POST", "/shows", {"title": title, "shop": "demo", "currency": "EUR"})
        products = host.did("GET", "/products?shop=demo&limit=100")["items"]
        enough = [one for one in products if one["age_gate"] is None and (one["quantity"] or 0) >= 50]
        for offer in offers:
            wanted = dict(offer)
            amount = wanted.pop("amount", None)
            product = enough[self.turn % len(enough)]
            self.turn += 1
            price = {"amount": amount, "currency": "EUR"} if amount else product["price"]
            body = {"product": product["id"], "price": price, **wanted}
            host.did("POST", f"/shows/{show['id']}/offers", body)
        if start:
            host.did("POST", f"/shows/{show['id']}/start")
        found: dict[str, Any] = host.did("GET", f"/shows/{show['id']}")
        return found

    def new_buyer(self, born: str = "1990-01-01", country: str = "DE", role: str = "viewer") -> tuple[str, str]:
        """(id, e-mail) of a new account."""
        email = f"{role}-{secrets.token_hex(5)}@test.example"
        told = {"email": email, "name": "Toni Test", "role": role, "country": country, "region": ""}
        return _aside(members.user_add(self.settings, **told, born=date.fromisoformat(born))), email

    def link(self, minor: str, guardian: str) -> None:
        """What `livesale guardian link --verified` does with the two addresses."""
        _aside(commands.guardian_link(self.settings, minor, guardian))

    def pid_of(self, name: str) -> int:
        """The process of that name in run.json."""
        running = json.loads((self.data / "run.json").read_text())["processes"]
        return int(next(one["pid"] for one in running if one["name"] == name))

    def order_in(self, who: str, show: str) -> dict[str, Any]:
        """The order someone has in a show, once the list (at most a second old) has it."""

        def look() -> dict[str, Any] | None:
            items = self.api(who).did("GET", "/orders?limit=20")["items"]
            return next((one for one in items if f"_s{show}_" in one["id"]), None)

        return until(look, "the order to be listed")

    def left(self, show: str, offer: str) -> int:
        """What the public snapshot says is left of an offer."""
        offers = self.anyone.did("GET", f"/shows/{show}")["offers"]
        return int(next(one["left"] for one in offers if one["id"] == offer))


def livesale(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command of livesale, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "livesale.cli", *arguments],
        cwd=ROOT, env={**_surroundings(), **(env or {})},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def _aside(work: Coroutine[Any, Any, str]) -> str:
    """What comes of it in a loop of its own: here one may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_S) -> T:
    """The first true thing `look` gives."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)
    return found


def _surroundings() -> dict[str, str]:
    """Our environment without settings: what the tests are told must not reach the system."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVESALE_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


@cache
def _described(base: str) -> Described:
    """What the system at `base` says of itself."""
    with urllib.request.urlopen(f"{base}/api/v1/openapi.json", timeout=PATIENCE_S) as answer:
        return Described(json.load(answer))


def _reply(status: int, data: bytes, headers: dict[str, str]) -> Reply:
    lowered = {name.lower(): value for name, value in headers.items()}
    is_json = "json" in lowered.get("content-type", "")
    return Reply(status, json.loads(data) if is_json and data else data, lowered)


def build_pages() -> None:
    """Build the front end when it is not there; a test run never rebuilds it."""
    if (ROOT / "livesale" / "web_dist" / "watch" / "index.html").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("The pages are not built and there is no npm: install Node 20 or newer.", pytrace=False)
    for step in (["install", "--no-save"], ["run", "build"]):
        done = subprocess.run([npm, *step], cwd=ROOT / "web", capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"npm {' '.join(step)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}", pytrace=False)


def start(data: Path, env: dict[str, str] | None = None) -> System:
    """`livesale up --demo` on DATA, ready; `env`: settings as LIVESALE_* variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "livesale.cli", "up", "--demo", "--data", str(data), "--port", "0"],
        cwd=ROOT, env={**_surroundings(), **(env or {})}, text=True,
        stdout=subprocess.PIPE, stderr=(data.parent / "up.err").open("w"),
    )  # fmt: skip
    assert process.stdout is not None
    watchdog = threading.Timer(READY_S, process.terminate)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                return System(line.split()[1], data, process, env or {})
    except BaseException:  # the test's own timeout too: a system without a test must not stay
        process.terminate()
        raise
    finally:
        watchdog.cancel()
    pytest.fail(f"the system did not come up:\n{(data.parent / 'up.err').read_text()[-3000:]}", pytrace=False)


def stop(system: System) -> None:
    """SIGTERM, and nothing of it is left."""
    family = psutil.Process(system.process.pid).children(recursive=True)
    assert family, "the system has no processes"
    system.process.send_signal(signal.SIGTERM)
    try:
        code = system.process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        system.process.kill()
        pytest.fail(f"SIGTERM did not stop the system within {STOP_S} s")
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive, f"left running: {alive}"
    assert code == 0, f"stopped with {code}"
    assert not (system.data / "run.json").exists()


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The session's system, its demo host on air."""
    build_pages()
    folder = Path(tempfile.mkdtemp(prefix="livesale-"))
    trusted = folder / "issuers.json"
    trusted.write_text(json.dumps({ISSUER: {"keys": [TRUSTED.jwk]}}))
    running = start(folder / "data", {"LIVESALE_AGE_ISSUERS": str(trusted)})
    try:
        running.demo_show()
        yield running
    finally:
        stop(running)
        shutil.rmtree(folder, ignore_errors=True)
