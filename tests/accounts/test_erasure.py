"""Erasure on both databases: the key goes and with it all that was sealed; whoever is left is left alone."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.erasure import Erasing
from livesale.accounts.service import Accounts
from livesale.accounts.signins import SignIns
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.store.database import reading
from tests.accounts.people import PASSWORD, Clock, ada, code_of
from tests.accounts.test_ages import everything


@pytest.fixture
def erasing(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> Erasing:
    return Erasing(engine, accounts.revocations, clock)


async def test_nothing_of_the_person_stays(
    erasing: Erasing, accounts: Accounts, engine: AsyncEngine, clock: Clock
) -> None:
    """Address, name, country, age, password, sign-ins and tokens are gone; the address may be anybody's account again."""
    made = await ada(accounts, name="Ada MARKER", country="fr")
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    sign_ins: SignIns = accounts.sign_ins
    await sign_ins.make_token(Actor(made.id, made.roles, stepped_up_ms=clock.ms), "MARKER till", [], 7)
    async with reading(engine) as db:
        key = (await store.find_all(db, [made.id]))[0]["key"]
    for _ in "12":  # twice is harmless
        await erasing.erase(made.id)
    gone = await accounts.me(made.id)
    assert (gone.email, gone.name, gone.country, gone.roles, gone.age.method) == ("", "", "", frozenset(), "unknown")
    assert gone.band(clock.ms) == "under7"
    with pytest.raises(Refusal):
        accounts.authenticate(signed.cookie, "session")
    assert await code_of(accounts.sign_in("ada@example.org", PASSWORD)) == "unauthenticated"
    assert await sign_ins.of(made.id) == []
    kept = await everything(engine)
    assert "MARKER" not in kept and "'FR'" not in kept and str(key) not in kept
    assert (await ada(accounts)).id != made.id


async def test_others_are_left_alone(erasing: Erasing, accounts: Accounts) -> None:
    """Whoever else has an account is signed in as before, and reads their own name."""
    first = await ada(accounts)
    other = await ada(accounts, email="eve@example.org", name="Eve")
    signed = await accounts.sign_in("eve@example.org", PASSWORD)
    await erasing.erase(first.id)
    assert accounts.authenticate(signed.cookie, "session").account == other.id
    assert (await accounts.me(other.id)).name == "Eve"
