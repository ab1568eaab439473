"""Consents: no until yes, each said with its receipt, and below the age of data consent not by oneself."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts import store
from livesale.accounts.consents import PURPOSES, TEXTS, VERSION, Consents, Purpose
from livesale.accounts.model import Account, Age
from livesale.accounts.service import Accounts
from tests.accounts.people import Clock, ada, code_of

# on START_MS (19 November 2026)
AGED = {9: date(2017, 5, 1), 13: date(2013, 5, 1), 15: date(2011, 5, 1), 16: date(2010, 5, 1), 30: date(1996, 5, 1)}


@pytest.fixture
def consents(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> Consents:
    return Consents(engine, accounts, clock)


async def granted(consents: Consents, account: Account) -> list[Purpose]:
    return [one.purpose for one in await consents.of(account.id) if one.granted]


async def test_the_answer_is_no_until_it_is_yes(consents: Consents, accounts: Accounts) -> None:
    """Nobody has agreed to anything; a yes counts for its purpose alone, a no takes it back by the same call."""
    made = await ada(accounts)
    assert await granted(consents, made) == []
    assert [one.may_grant for one in await consents.of(made.id)] == ["owner"] * len(PURPOSES)
    await consents.say(made.id, "statistics", True, VERSION, made.id)
    assert await granted(consents, made) == ["statistics"]
    await consents.say(made.id, "statistics", False, VERSION, made.id)
    assert await granted(consents, made) == []


async def test_every_word_is_kept(consents: Consents, accounts: Accounts, clock: Clock) -> None:
    """Which text, when, how and by whom, of each yes and each no, in their order."""
    made = await ada(accounts)
    first = clock.ms
    for answer in (True, False, True):
        await consents.say(made.id, "marketing_mail", answer, VERSION, made.id)
        clock.ms += 1_000
    kept = [(row["granted"], row["version"], row["at_ms"], row["how"], row["by"]) for row in await consents.receipts(made.id)]
    assert kept == [(yes, VERSION, first + turn * 1_000, "page", made.id) for turn, yes in enumerate((True, False, True))]


@pytest.mark.parametrize(
    ("country", "age", "who"),
    [
        ("DE", 15, "guardian"), ("DE", 16, "owner"), ("AT", 13, "guardian"), ("AT", 15, "owner"), ("FR", 13, "guardian"),
        ("FR", 16, "owner"), ("GB", 15, "owner"), ("ZW", 16, "owner"), ("ZW", 15, "guardian"), ("DE", 30, "owner"),
    ],
)  # fmt: skip
async def test_the_country_s_age_of_data_consent(
    consents: Consents, accounts: Accounts, country: str, age: int, who: str
) -> None:
    """Art. 8 GDPR by country: below it the guardian agrees and the minor cannot, from it on the other way round."""
    made = await ada(accounts, country=country, born=AGED[age])
    assert {one.purpose: one.may_grant for one in await consents.of(made.id)}["statistics"] == who
    by_owner, by_guardian = (consents.say(made.id, "statistics", True, VERSION, by) for by in (made.id, "gita"))
    wrong, right = (by_owner, by_guardian) if who == "guardian" else (by_guardian, by_owner)
    assert await code_of(wrong) == "forbidden"
    await right
    assert await granted(consents, made) == ["statistics"]


@pytest.mark.parametrize("age", [9, 16])
async def test_nobody_under_age_is_profiled(consents: Consents, accounts: Accounts, age: int) -> None:
    """Personal advertising is not for them, whoever agrees (Art. 28 (2) DSA): contextual only."""
    made = await ada(accounts, born=AGED[age])
    for by in (made.id, "gita"):
        assert await code_of(consents.say(made.id, "personal_ads", True, VERSION, by)) == "forbidden"


async def test_a_yes_of_an_adult_who_is_none_does_not_stand(consents: Consents, accounts: Accounts, engine: AsyncEngine) -> None:
    """Once it is known that they are under age the yes to personal advertising counts no more."""
    made = await ada(accounts)
    await consents.say(made.id, "personal_ads", True, VERSION, made.id)
    async with engine.begin() as db:
        await store.set_age(db, made.id, Age("14-15", "2028-05", "verified", "operator"))
    assert await granted(consents, made) == []


async def test_nobody_is_too_young_to_say_no(consents: Consents, accounts: Accounts) -> None:
    """What a guardian agreed to the minor takes back alone, by the same call, whatever text it was about."""
    made = await ada(accounts, born=AGED[9])
    await consents.say(made.id, "statistics", True, VERSION, "gita")
    await consents.say(made.id, "statistics", False, "an old text", made.id)
    assert await granted(consents, made) == []


async def test_a_text_that_is_not_today_s(consents: Consents, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody agrees to what they have not read; what was agreed to before is asked anew."""
    made = await ada(accounts)
    assert await code_of(consents.say(made.id, "statistics", True, "2025-01", made.id)) == "superseded"
    await consents.say(made.id, "statistics", True, VERSION, made.id)
    monkeypatch.setattr("livesale.accounts.consents.VERSION", "2099-01")
    assert await granted(consents, made) == []


def test_every_purpose_has_its_words() -> None:
    """In both languages."""
    assert all(set(TEXTS[purpose]) == {"de", "en"} and all(TEXTS[purpose].values()) for purpose in PURPOSES)
