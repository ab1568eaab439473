"""Operators' checks of ages, on both databases: over a word, audited without the age, taken back as it was before."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.checks import Checks
from livesale.accounts.model import Account
from livesale.accounts.service import Accounts
from livesale.kernel.actor import Actor
from livesale.store.database import reading
from tests.accounts.people import START_MS, Clock, ada, code_of

CHILD = date(2012, 3, 3)
OPERATOR = Actor("operator00", frozenset({"operator"}), stepped_up_ms=START_MS)


@pytest.fixture
def checks(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> Checks:
    return Checks(engine, accounts, clock)


async def known(accounts: Accounts, account: Account) -> tuple[str, str, str]:
    found = await accounts.me(account.id)
    return found.band(START_MS), found.age.method, found.age.issuer


async def test_a_check_is_noted_and_taken_back(checks: Checks, accounts: Accounts) -> None:
    """Found by address, checked, and undone: then it is known as before, and there is nothing left to undo."""
    liar = await ada(accounts)
    found = await checks.find(OPERATOR, "ada@example.org")
    assert (found.account.id, found.at_ms) == (liar.id, 0)
    after = await checks.check(OPERATOR, liar.id, CHILD, "identity_document")
    assert (after.at_ms, after.seen) == (START_MS, "identity_document")
    assert await known(accounts, liar) == ("14-15", "verified", "operator")
    assert (await checks.undo(OPERATOR, liar.id)).at_ms == 0
    assert await known(accounts, liar) == ("adult", "declared", "")
    assert await code_of(checks.undo(OPERATOR, liar.id)) == "conflict"


async def test_the_audit_says_who_and_by_what_never_which_age(
    checks: Checks, accounts: Accounts, engine: AsyncEngine
) -> None:
    """Looking, checking and taking back are each written down, with the operator and what was seen; no band, no date."""
    liar = await ada(accounts)
    await checks.find(OPERATOR, "ada@example.org")
    await checks.check(OPERATOR, liar.id, CHILD, "video_call")
    await checks.undo(OPERATOR, liar.id)
    async with reading(engine) as db:
        acts = [row for row in await store.acts_on(db, liar.id) if row["action"].startswith("account.age")]
    assert [(row["actor"], row["action"]) for row in acts] == [
        ("operator00", "account.age_look"), ("operator00", "account.age"), ("operator00", "account.age"),
    ]  # fmt: skip
    said = " ".join(row["data"] for row in acts)
    assert "video_call" in said and "undo" in said
    assert not [trace for trace in ("14-15", "adult", "2012", "2028") if trace in said]


async def test_only_who_has_just_proven_it_and_never_for_oneself(checks: Checks, accounts: Accounts, clock: Clock) -> None:
    """An operator whose proof is old is asked for one, and nobody makes themselves an adult."""
    liar = await ada(accounts, born=CHILD)
    own = Actor(liar.id, frozenset({"operator"}), stepped_up_ms=START_MS)
    assert await code_of(checks.check(own, liar.id, date(1990, 1, 1), "correction")) == "forbidden"
    assert await code_of(checks.undo(own, liar.id)) == "forbidden"
    clock.ms += 601_000
    assert await code_of(checks.check(OPERATOR, liar.id, date(1990, 1, 1), "correction")) == "step_up_required"
    assert await code_of(checks.undo(OPERATOR, liar.id)) == "step_up_required"
    assert await known(accounts, liar) == ("14-15", "declared", "")


async def test_nobody_s_birthday_is_refused(checks: Checks, accounts: Accounts) -> None:
    """A date in the future changes nothing, and names its field."""
    liar = await ada(accounts)
    assert await code_of(checks.check(OPERATOR, liar.id, date(2100, 1, 1), "identity_document")) == "invalid"
    assert await code_of(checks.check(OPERATOR, "nobody0000", CHILD, "identity_document")) == "not_found"
    assert (await known(accounts, liar))[1] == "declared"
