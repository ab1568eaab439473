"""Browsers that adults are told in, on both databases: whose they are, for how long, and who is never told in one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.erasure import Erasing
from livesale.accounts.model import Account, Age
from livesale.accounts.pushes import MOST_BROWSERS, Pushes, Subscription
from livesale.accounts.service import Accounts
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from tests.accounts.people import KEY, PASSWORD, Clock, ada, code_of
from tests.accounts.test_ages import everything
from tests.support.pushservice import Browser


@pytest.fixture
def pushes(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> Pushes:
    return Pushes(engine, accounts, KEY, clock, local=False)


def wanted(name: str = "MARKER", **changed: Any) -> Subscription:
    return Subscription(**{**Browser(f"https://push.example.org/{name}").told(), **changed})


async def signed_in(accounts: Accounts, account: Account) -> Actor:
    return (await accounts.sign_in(account.email, PASSWORD)).claims.actor


async def test_it_is_sealed_and_opened(pushes: Pushes, accounts: Accounts, engine: AsyncEngine) -> None:
    """The address and the keys are in no row as they are; their owner sees them, and a sending opens them."""
    account = await ada(accounts)
    actor, subscription = await signed_in(accounts, account), wanted()
    made = await pushes.subscribe(actor, subscription, "Firefox Linux")
    kept = await everything(engine)
    assert "MARKER" not in kept and subscription.auth not in kept
    assert await pushes.of(account.id) == [made] and made.endpoint.endswith("MARKER")
    assert await pushes.open(account.id, made.id) == subscription


@pytest.mark.parametrize("born", [date(2015, 6, 1), None])
async def test_nobody_under_age_subscribes(pushes: Pushes, accounts: Accounts, born: date | None) -> None:
    """A minor, and who has not told an age, is refused as such and nothing is kept."""
    account = await ada(accounts, born=born)
    assert await code_of(pushes.subscribe(await signed_in(accounts, account), wanted(), "")) == "adults_only"
    assert await pushes.of(account.id) == []


async def test_nobody_found_to_be_under_age_is_told(
    pushes: Pushes, accounts: Accounts, engine: AsyncEngine
) -> None:
    """Whose age an operator corrects is told in none of their browsers from then on."""
    account = await ada(accounts)
    made = await pushes.subscribe(await signed_in(accounts, account), wanted(), "")
    async with engine.begin() as db:
        await store.set_age(db, account.id, Age("14-15", "2030-01", "verified", "operator"))
    assert (await pushes.of(account.id), await pushes.open(account.id, made.id)) == ([], None)


async def test_a_browser_is_whose_it_was_last(pushes: Pushes, accounts: Accounts) -> None:
    """On a shared device the second person's switch takes the first one's place; neither opens or ends the other's."""
    first, second = await ada(accounts), await ada(accounts, email="eve@example.org")
    made = await pushes.subscribe(await signed_in(accounts, first), wanted(), "")
    other = await signed_in(accounts, second)
    assert await code_of(pushes.unsubscribe(other, made.id)) == "not_found"
    await pushes.subscribe(other, wanted(), "")
    assert await pushes.of(first.id) == [] and await pushes.open(first.id, made.id) is None
    assert len(await pushes.of(second.id)) == 1
    await pushes.unsubscribe(other, made.id)
    assert await pushes.of(second.id) == []


async def test_it_ends_with_its_sign_in(pushes: Pushes, accounts: Accounts, clock: Clock) -> None:
    """Signing out there, ending it from elsewhere or its time running out end the pushes to that browser, and to no other."""
    account = await ada(accounts)
    actors = [await signed_in(accounts, account) for _ in range(2)]
    ids = [(await pushes.subscribe(actor, wanted(str(number)), "")).id for number, actor in enumerate(actors)]
    await accounts.sign_ins.end(account.id, actors[0].sid)
    assert [one.id for one in await pushes.of(account.id)] == ids[1:]
    clock.ms += 31 * 86_400_000
    assert await pushes.open(account.id, ids[1]) is None


WRONG = (
    {"endpoint": "http://push.example.org/x"}, {"endpoint": "https://127.0.0.1/x"}, {"endpoint": "https://[::1]/x"},
    {"endpoint": "https://169.254.169.254/x"}, {"endpoint": "https://10.1.2.3/x"}, {"endpoint": "https://[oops/x"},
    {"p256dh": "AAAA"}, {"auth": "AAAA"}, {"auth": "A"},
)  # fmt: skip


async def test_only_what_a_browser_gives(pushes: Pushes, accounts: Accounts) -> None:
    """An address that is not https or lies inside our network, and keys that are none, are refused naming the field."""
    actor = await signed_in(accounts, await ada(accounts))
    for changed in WRONG:
        with pytest.raises(Refusal) as said:
            await pushes.subscribe(actor, wanted(**changed), "")
        assert (said.value.code, said.value.errors[0]["field"]) == ("invalid", next(iter(changed))), changed
    assert await pushes.of(actor.account) == []


async def test_at_most_ten(pushes: Pushes, accounts: Accounts) -> None:
    """The eleventh browser is refused; one of the ten again is not."""
    actor = await signed_in(accounts, await ada(accounts))
    for number in range(MOST_BROWSERS):
        await pushes.subscribe(actor, wanted(str(number)), "")
    assert await code_of(pushes.subscribe(actor, wanted("more"), "")) == "limit_reached"
    await pushes.subscribe(actor, wanted("3"), "")


async def test_erasure_takes_them_along(
    pushes: Pushes, accounts: Accounts, engine: AsyncEngine, clock: Clock
) -> None:
    """Of an erased account's browsers no row is left."""
    account = await ada(accounts)
    made = await pushes.subscribe(await signed_in(accounts, account), wanted(), "")
    await Erasing(engine, accounts.revocations, clock).erase(account.id)
    assert made.id not in await everything(engine)
    assert await pushes.open(account.id, made.id) is None
