"""Bad days: whatever is lost, repeated or killed, every order is charged exactly once and the books balance.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.kernel.money import Money
from livesale.payments.paysim.faults import Faults, FaultSettings
from livesale.payments.paysim.intents import METHODS
from livesale.payments.provider import Attempt
from livesale.payments.sandbox import SandboxProvider
from tests.support.sandbox import SECRET_KEY, RunningSandbox, running

PRICE = Money(700, "EUR")
BAD = FaultSettings(seed=7, before_effect=0.2, after_effect=0.2, timeout=0.2, timeout_s=0.1)


async def until_known(call: object, most: int = 60) -> Attempt:
    """Repeat an act with its key, as a worker would, until the provider has said what happened."""
    for _ in range(most):
        attempt = await call()
        if attempt.known:
            return attempt
    raise AssertionError("never told")


async def charge(provider: SandboxProvider, order: str) -> Attempt:
    made = await until_known(lambda: provider.authorise(f"{order}-a", PRICE, "pm_ok", order, ""))
    return await until_known(lambda: provider.capture(f"{order}-c", made.provider_id, PRICE))


async def test_lost_answers_charge_nobody_twice(tmp_path: Path) -> None:
    """With 60 % of the answers lost, repeating with the same key charges every order exactly once."""
    async with running(tmp_path, BAD, timeout_s=0.05) as sandbox:
        done = await asyncio.gather(*(charge(sandbox.provider, f"o{n}") for n in range(20)))
    assert {attempt.state for attempt in done} == {"captured"}
    assert sums(tmp_path) == {"customer": -14_000, "authorised": 0, "merchant": 14_000}


async def test_without_its_key_the_loss_shows(tmp_path: Path) -> None:
    """The guard taken off: repeating with fresh keys on the same bad day does charge some orders twice."""
    async with running(tmp_path, BAD, timeout_s=0.05) as sandbox:
        for n in range(20):
            fresh = iter(range(60))
            await until_known(
                lambda n=n, fresh=fresh: sandbox.provider.authorise(
                    f"{n}-{next(fresh)}", PRICE, "pm_ok", f"o{n}", ""
                )
            )
    assert sums(tmp_path)["authorised"] > 20 * 700


def test_the_same_seed_is_the_same_day() -> None:
    """Faults can be ordered again: one seed, one sequence; all shares at zero, none at all."""
    first, second = Faults(BAD), Faults(BAD)
    assert [first.of_call() for _ in range(99)] == [second.of_call() for _ in range(99)]
    calm = Faults(FaultSettings(seed=7))
    assert {calm.of_call() for _ in range(99)} == {None}
    assert {calm.of_webhook() for _ in range(99)} == {(1, 0)}
    with pytest.raises(ValueError, match="share"):
        FaultSettings(timeout=1.5)


async def test_webhooks_repeat_until_believed(tmp_path: Path) -> None:
    """A receiver that is down loses nothing, and each payment's events come in their order."""
    async with running(tmp_path, refuse=2) as sandbox:
        await charge(sandbox.provider, "o1")
        events = await sandbox.receiver.wait_for(2)
    assert [event.type for event in events] == ["intent.authorised", "intent.captured"]
    assert sandbox.receiver.refused == 2
    assert events[0].data.version < events[1].data.version


async def test_undelivered_webhooks_survive_a_restart(tmp_path: Path) -> None:
    """What could not be delivered before the sandbox stopped is delivered by the next one."""
    async with running(tmp_path, refuse=10_000) as sandbox:
        await charge(sandbox.provider, "o1")
    async with running(tmp_path) as sandbox:
        # The address of a test's receiver changes; the queue holds bodies, the address is the setting's.
        events = await sandbox.receiver.wait_for(2)
    assert [event.type for event in events] == ["intent.authorised", "intent.captured"]


async def test_disturbed_webhooks_can_be_put_right(tmp_path: Path) -> None:
    """Doubled and overtaken events still carry one id each and a version that tells which is newer."""
    disturbed = FaultSettings(seed=3, webhook_twice=1.0, webhook_late=0.5, late_ms=200)
    async with running(tmp_path, disturbed) as sandbox:
        for n in range(6):
            await charge(sandbox.provider, f"o{n}")
        events = await sandbox.receiver.wait_for(24)
    by_order = [[event for event in events if event.data.reference == f"o{n}"] for n in range(6)]
    assert all(len({event.id for event in told}) == 2 and len(told) == 4 for told in by_order)
    assert any(
        [event.data.version for event in told] != sorted(e.data.version for e in told) for told in by_order
    )
    assert all(max(told, key=lambda event: event.data.version).data.state == "captured" for told in by_order)


ACTS = st.lists(
    st.tuples(st.sampled_from(["capture", "refund", "void", "confirm"]), st.integers(-5, 1500)), max_size=8
)


@settings(max_examples=25, deadline=None)
@given(method=st.sampled_from(METHODS), acts=ACTS)
def test_no_order_of_acts_breaks_the_books(
    tmp_path_factory: pytest.TempPathFactory, method: str, acts: list[tuple[str, int]]
) -> None:
    """Whatever is asked in whatever order: entries sum to zero, and nobody gets back more than was taken."""
    folder = tmp_path_factory.mktemp("acts")
    asyncio.run(play(folder, method, acts))
    totals = sums(folder)
    assert sum(totals.values()) == 0
    assert all(totals.get(account, 0) >= 0 for account in ("authorised", "merchant", "disputed"))


async def play(folder: Path, method: str, acts: list[tuple[str, int]]) -> None:
    async with running(folder) as sandbox:
        made = await sandbox.provider.authorise("a", Money(1000, "EUR"), method, "o", "http://shop/")
        for place, (act, amount) in enumerate(acts):
            assert await perform(sandbox, made.provider_id, f"k{place}", act, amount) != "unknown"


async def perform(sandbox: RunningSandbox, intent: str, key: str, act: str, amount: int) -> str:
    if act == "confirm":
        form = {"decision": "approve" if amount > 0 else "decline"}
        async with sandbox.http.post(f"/3ds/{intent}", data=form, allow_redirects=False) as answer:
            return str(answer.status)
    if act == "void":
        return (await sandbox.provider.void(key, intent)).state
    method = sandbox.provider.capture if act == "capture" else sandbox.provider.refund
    return (await method(key, intent, Money(amount, "EUR"))).state


SERVER = """
import asyncio, sys
from livesale.payments.paysim.app import serve
async def main():
    runner = await serve("127.0.0.1", 0, sys.argv[1], sys.argv[2], None, "")
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_killed_sandbox_keeps_what_it_said(tmp_path: Path) -> None:
    """Killed mid-work and started again, it still knows every answer it gave, and repeats charge nobody
    twice.
    """
    told: dict[str, Attempt] = {}
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, str(tmp_path / "paysim.db"), SECRET_KEY, stdout=subprocess.PIPE
        )
        try:
            port = int(await process.stdout.readline())
            async with SandboxProvider(f"http://127.0.0.1:{port}", SECRET_KEY, timeout_s=5) as provider:
                await authorise_until_killed(provider, process, told)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    with sqlite3.connect(tmp_path / "paysim.db") as file:
        kept = dict(file.execute("SELECT reference, id FROM intents"))
        assert len(kept) == file.execute("SELECT COUNT(*) FROM intents").fetchone()[0]
        assert file.execute("SELECT COUNT(*) FROM entries").fetchone()[0] == len(kept)
    assert {order: attempt.provider_id for order, attempt in told.items()}.items() <= kept.items()


async def authorise_until_killed(
    provider: SandboxProvider, process: asyncio.subprocess.Process, told: dict[str, Attempt]
) -> None:
    async def one(n: int) -> None:
        answer = await provider.authorise(f"k{n}", PRICE, "pm_ok", f"o{n}", "")
        if answer.known:
            assert told.setdefault(f"o{n}", answer) == answer
        if n == 20 and process.returncode is None:
            process.kill()

    await asyncio.gather(*(one(n) for n in range(40)))


def sums(folder: Path) -> dict[str, int]:
    """The sandbox's balances, read from its file."""
    with sqlite3.connect(folder / "paysim.db") as file:
        return dict(file.execute("SELECT account, SUM(amount) FROM postings GROUP BY account"))
