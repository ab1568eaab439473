"""Three ways an age becomes known, each once, and nothing of a birth date or a credential stays."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.ages import Ages
from livesale.accounts.challenges import CHALLENGE_MS, Challenges
from livesale.accounts.checks import Checks
from livesale.accounts.model import Account
from livesale.accounts.service import Accounts
from livesale.kernel.actor import Actor
from livesale.store.database import metadata, reading
from tests.accounts.issuer import AUDIENCE, ISSUER, Key, Wallet, issuers, token
from tests.accounts.people import KEY, START_MS, Clock, ada, code_of

ISSUED = Key("EdDSA")
GUARDED = "guarded"


@pytest.fixture
def ages(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> Ages:
    async def has_guardian(account: str) -> bool:
        return (await accounts.me(account)).name == GUARDED

    return Ages(engine, accounts, Challenges(KEY), issuers(ISSUED), AUDIENCE, clock, has_guardian)


def actor(account: Account) -> Actor:
    return Actor(account.id, account.roles)


async def shown(ages: Ages, account: Account) -> str:
    """A credential for a fresh nonce."""
    asked = await ages.ask(actor(account))
    return token(ISSUED, asked.nonce, asked.now_s)


async def test_an_unknown_age_is_the_youngest_until_it_is_told_once(ages: Ages, accounts: Accounts) -> None:
    """Whoever told none may say it; said once, it cannot be said again: nobody grows up by another word."""
    mia = await ada(accounts, born=None)
    assert mia.band(START_MS) == "under7"
    assert (await ages.declare(actor(mia), date(2011, 5, 17))).band(START_MS) == "14-15"
    assert await code_of(ages.declare(actor(mia), date(1990, 5, 17))) == "conflict"
    assert (await accounts.me(mia.id)).age.method == "declared"


async def test_an_operator_s_check_counts_over_a_word(
    ages: Ages, accounts: Accounts, engine: AsyncEngine, clock: Clock
) -> None:
    """Who said adult and is none is put right, and from then on neither word nor credential undoes it."""
    liar = await ada(accounts, born=date(1990, 1, 1))
    checks = Checks(engine, accounts, clock)
    assert (await checks.note(liar, date(2012, 3, 3))).band(START_MS) == "14-15"
    assert await code_of(ages.declare(actor(liar), date(1990, 1, 1))) == "conflict"
    assert await code_of(ages.prove(actor(liar), await shown(ages, liar))) == "conflict"
    assert (await accounts.me(liar.id)).age.issuer == "operator"


async def test_an_issuer_s_proof_makes_an_adult_verified(ages: Ages, accounts: Accounts) -> None:
    """Plain or from a wallet; the band, the method and who said it are kept."""
    known = await ada(accounts)
    proven = await ages.prove(actor(known), await shown(ages, known))
    assert (proven.age.method, proven.age.issuer, proven.band(START_MS)) == ("verified", ISSUER, "adult")
    other = await ada(accounts, email="b@example.org", born=None)
    asked = await ages.ask(actor(other))
    assert (await ages.prove(actor(other), Wallet(ISSUED, asked.now_s).show(asked.nonce, asked.now_s))).band(START_MS) == "adult"


async def test_a_proof_is_good_once_for_whoever_asked(ages: Ages, accounts: Accounts, clock: Clock) -> None:
    """Replayed, shown by another account, or after five minutes, it proves nothing."""
    known, other = await ada(accounts), await ada(accounts, email="b@example.org", born=None)
    credential = await shown(ages, known)
    assert await code_of(ages.prove(actor(other), credential)) == "expired"
    await ages.prove(actor(known), credential)
    assert await code_of(ages.prove(actor(known), credential)) == "expired"
    late = await shown(ages, other)
    clock.ms += CHALLENGE_MS
    assert await code_of(ages.prove(actor(other), late)) == "expired"
    assert (await accounts.me(other.id)).band(clock.ms) == "under7"


async def test_where_majority_is_later_18_is_not_enough(ages: Ages, accounts: Accounts) -> None:
    """In Alabama what is asked for is `age_over_19`; a credential that says 18 does not do."""
    known = await ada(accounts, country="us", region="AL", born=None)
    asked = await ages.ask(actor(known))
    assert asked.claim == "age_over_19"
    assert await code_of(ages.prove(actor(known), token(ISSUED, asked.nonce, asked.now_s))) == "forbidden"
    assert await code_of(ada(accounts, email="c@example.org", country="DE", region="AL")) == "invalid"


async def test_nobody_with_a_guardian_grows_up_by_a_credential(ages: Ages, accounts: Accounts) -> None:
    """It may be the guardian's own, from a shared device: an operator has to look."""
    minor = await ada(accounts, name=GUARDED, born=date(2012, 3, 3))
    assert await code_of(ages.prove(actor(minor), await shown(ages, minor))) == "forbidden"


async def test_no_birth_date_and_no_credential_is_kept(
    ages: Ages, accounts: Accounts, engine: AsyncEngine, clock: Clock
) -> None:
    """Whatever way an age came in, no table has the date, the wallet's name, or the credential."""
    first = await ada(accounts, born=date(2011, 5, 17))
    await Checks(engine, accounts, clock).note(first, date(2003, 9, 28))
    other = await ada(accounts, email="b@example.org", born=None)
    asked = await ages.ask(actor(other))
    credential = Wallet(ISSUED, asked.now_s).show(asked.nonce, asked.now_s, disclose=("age_over_18", "family_name"))
    await ages.prove(actor(other), credential)
    kept = await everything(engine)
    assert first.id in kept
    for trace in ("2011-05-17", "2003-09-28", "MARKER-family-name", credential[:60], asked.nonce):
        assert trace not in kept


async def everything(engine: AsyncEngine) -> str:
    """Every row of every table."""
    async with reading(engine) as db:
        rows = [str(tuple(row)) for table in metadata.tables for row in await db.execute(text(f'SELECT * FROM "{table}"'))]
    return "\n".join(rows)
