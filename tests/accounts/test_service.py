"""Accounts on a real database: one address one account, few guesses, and ended sign-ins end everywhere."""

from datetime import date

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from livesale.accounts import store
from livesale.accounts.attempts import FAILURES, WINDOW_MS
from livesale.accounts.passwords import Passwords
from livesale.accounts.service import FRESH_MS, Accounts
from livesale.accounts.tokens import Tokens
from livesale.kernel.refusals import Refusal
from livesale.kernel.sealing import lookup
from livesale.store.database import metadata, reading
from tests.accounts.people import KEY, PASSWORD, START_MS, ada, code_of


async def test_an_account_is_read_as_it_was_made(accounts):
    """Who makes an account finds it again, by id and by address in any case."""
    made = await ada(accounts, roles=("host",))
    assert await accounts.me(made.id) == made
    assert await accounts.by_email("ADA@example.org") == made
    assert (made.email, made.country, made.band(START_MS)) == ("ada@example.org", "DE", "adult")


async def test_one_address_one_account(accounts):
    """A second account for an address is refused, in whatever case it is written."""
    await ada(accounts)
    assert await code_of(ada(accounts, email="aDA@example.ORG")) == "conflict"


@pytest.mark.parametrize(
    "wrong",
    [
        *({"email": "ada"}, {"name": ""}, {"country": "Germany"}, {"roles": ("king",)}),
        *({"born": date(1800, 1, 1)}, {"password": "short"}, {"password": "x" * 257}),
    ],
)
async def test_wrong_fields_are_named(accounts, wrong):
    """A field that cannot be is refused by its name, and nothing is created."""
    with pytest.raises(Refusal) as said:
        await ada(accounts, **wrong)
    assert said.value.errors[0]["field"] == {"roles": "role"}.get(next(iter(wrong)), next(iter(wrong)))
    assert await code_of(accounts.by_email("ada@example.org")) == "not_found"


async def test_names_are_sealed(accounts, engine):
    """No name and no address stands in any row; with the key erased both are gone and the account stays."""
    made = await ada(accounts, name="Ada Lovelace", email="x@example.org")
    async with engine.begin() as db:
        row = (await db.execute(select(store.accounts))).mappings().one()
        assert b"Lovelace" not in row["name"]
        written = "".join([repr((await db.execute(select(table))).all()) for table in metadata.sorted_tables])
        await db.execute(store.sealing_keys.delete())
    assert "x@example.org" not in written
    assert "Lovelace" not in written
    erased = await accounts.me(made.id)
    assert (erased.name, erased.email) == ("", "")


async def test_sign_in(accounts, clock):
    """The right password gives a cookie that says who and that it is fresh; it is no API token."""
    made = await ada(accounts)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    claims = accounts.authenticate(signed.cookie, "session")
    assert (claims.account, claims.stepped_up) == (made.id, START_MS)
    assert signed.csrf == accounts.csrf(claims)
    with pytest.raises(Refusal):
        accounts.authenticate(signed.cookie, "token")


async def test_unknown_and_wrong_read_the_same(accounts, monkeypatch):
    """An unknown address, a wrong password and an account without one are refused alike, as slowly."""
    await ada(accounts)
    await ada(accounts, email="none@example.org", password=None)
    verified = []
    real = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *a: verified.append(1) or real(*a))
    said = []
    for email, password in [
        ("ada@example.org", "wrong one"),
        ("no@example.org", PASSWORD),
        ("none@example.org", ""),
    ]:
        with pytest.raises(Refusal) as refusal:
            await accounts.sign_in(email, password)
        said.append((refusal.value.code, refusal.value.detail))
    assert len(set(said)) == 1
    assert len(verified) == 3


async def test_guessing_is_limited_by_account_and_by_address(accounts, clock):
    """After ten failures the right password is not tried any more; a quarter of an hour later it is."""
    await ada(accounts)
    for _ in range(FAILURES):
        assert (
            await code_of(accounts.sign_in("ada@example.org", "wrong one", "10.0.0.1")) == "unauthenticated"
        )
    assert await code_of(accounts.sign_in("ada@example.org", PASSWORD, "10.0.0.2")) == "rate_limited"
    assert await code_of(accounts.sign_in("other@example.org", PASSWORD, "10.0.0.1")) == "rate_limited"
    assert await accounts.sign_in("ada@example.org", PASSWORD)  # a loopback peer
    clock.ms += WINDOW_MS
    assert await accounts.sign_in("ada@example.org", PASSWORD, "10.0.0.1")


async def test_retry_after_is_the_time_left(accounts, clock):
    """The refusal says in whole seconds when to come back, and then it works."""
    await ada(accounts)
    for _ in range(FAILURES):
        await code_of(accounts.sign_in("ada@example.org", "wrong one", "10.0.0.1"))
    clock.ms += 1_500
    with pytest.raises(Refusal) as said:
        await accounts.sign_in("ada@example.org", PASSWORD, "10.0.0.1")
    clock.ms += said.value.retry_after_s * 1000
    assert await accounts.sign_in("ada@example.org", PASSWORD, "10.0.0.1")


async def test_sign_out_ends_it_everywhere(accounts, elsewhere):
    """A sign-in that was ended is refused here at once, in another process by its next poll; others stay."""
    await ada(accounts)
    ended, kept = [await accounts.sign_in("ada@example.org", PASSWORD) for _ in range(2)]
    await accounts.sign_out(ended.claims)
    with pytest.raises(Refusal):
        accounts.authenticate(ended.cookie, "session")
    assert elsewhere.authenticate(ended.cookie, "session")
    await elsewhere.revocations.poll()
    with pytest.raises(Refusal):
        elsewhere.authenticate(ended.cookie, "session")
    assert elsewhere.authenticate(kept.cookie, "session")


async def test_late_revocations_are_found(accounts, elsewhere, engine, clock):
    """A revocation that becomes visible only after a later poll is still learnt."""
    await ada(accounts)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    clock.ms += 30_000
    await elsewhere.revocations.poll()
    async with engine.begin() as db:
        await store.revoke(db, signed.claims.sid, "", START_MS, signed.claims.expires)
    clock.ms += 1_000
    await elsewhere.revocations.poll()
    assert elsewhere.revocations.covers(signed.claims)


async def test_sign_out_everywhere(accounts, elsewhere, clock):
    """Everything issued before is void, cookies and tokens; a later sign-in is good."""
    made = await ada(accounts)
    cookie = (await accounts.sign_in("ada@example.org", PASSWORD)).cookie
    token = await accounts.issue_token("ada@example.org", 30)
    await accounts.sign_out_everywhere(made.id)
    await elsewhere.revocations.poll()
    for process in (accounts, elsewhere):
        for text_, kind in [(cookie, "session"), (token, "token")]:
            with pytest.raises(Refusal):
                process.authenticate(text_, kind)
    clock.ms += 1
    assert accounts.authenticate((await accounts.sign_in("ada@example.org", PASSWORD)).cookie, "session")


async def test_fresh_token(accounts, clock):
    """A fresh token counts as a step-up, lasts ten minutes and is written down; a usual one is none."""
    made = await ada(accounts)
    fresh, usual = [await accounts.issue_token("ada@example.org", 1, fresh) for fresh in (True, False)]
    assert accounts.authenticate(fresh, "token").stepped_up == START_MS
    assert accounts.authenticate(usual, "token").stepped_up == 0
    clock.ms += FRESH_MS
    with pytest.raises(Refusal):
        accounts.authenticate(fresh, "token")
    async with reading(accounts._engine) as db:
        written = [(row["action"], row["account"], row["actor"]) for row in await store.read_audit(db, 10)]
    assert written[:2] == [("token.issue", made.id, "system"), ("token.issue_fresh", made.id, "system")]


async def test_step_up(accounts, clock):
    """A step-up makes the same sign-in fresh again, needs the password, and ends with its sign-out."""
    await ada(accounts)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    clock.ms += 3_600_000
    assert await code_of(accounts.check_password(signed.claims, "wrong one")) == "unauthenticated"
    await accounts.check_password(signed.claims, PASSWORD)
    again = await accounts.refresh(signed.claims, "password")
    assert (again.claims.stepped_up, again.claims.sid) == (clock.ms, signed.claims.sid)
    await accounts.sign_out(signed.claims)
    with pytest.raises(Refusal):
        accounts.authenticate(again.cookie, "session")


async def test_outdated_hashes_are_renewed(accounts, engine, clock):
    """A hash with weaker parameters is replaced when its owner signs in."""
    await ada(accounts)
    today = Accounts(engine, Tokens(KEY), KEY, now_ms=clock, passwords=Passwords(PasswordHasher(1, 16, 1)))
    await today.sign_in("ada@example.org", PASSWORD)
    async with engine.connect() as db:
        row = await store.find(db, email_hash=lookup(KEY, "ada@example.org"))
    assert "m=16," in row["password_hash"]
