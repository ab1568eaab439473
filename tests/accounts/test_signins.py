"""Sign-ins on a real database: seen by their owner alone, ended for good, and tokens that tell their secret once."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from livesale.accounts import store
from livesale.accounts.signins import FRESH_MS, MOST_TOKENS, SignIns
from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata, reading
from livesale.store.decision import KeyReused
from tests.accounts.people import PASSWORD, START_MS, ada, code_of


@pytest.fixture
def sign_ins(accounts) -> SignIns:
    return accounts.sign_ins


async def signed_in(accounts, device: str = "Firefox Linux") -> Actor:
    return (await accounts.sign_in("ada@example.org", PASSWORD, None, device)).claims.actor


async def test_the_owner_sees_what_is_signed_in(accounts, sign_ins, clock):
    """Every browser and token, newest first; nobody else's, nothing that has expired."""
    made = await ada(accounts)
    await ada(accounts, email="other@example.org")
    await accounts.issue_token("other@example.org", 1)
    first = await signed_in(accounts)
    clock.ms += 1_000
    await accounts.issue_token("ada@example.org", 1)
    found = await sign_ins.of(made.id)
    assert [(one.kind, one.device) for one in found] == [("token", ""), ("session", "Firefox Linux")]
    assert found[1].sid == first.sid
    clock.ms += DAY_MS
    assert [one.kind for one in await sign_ins.of(made.id)] == ["session"]


async def test_an_ended_sign_in_is_out_everywhere(accounts, elsewhere, sign_ins):
    """Ended here at once, in another process by its next poll (once a second); written down; the others stay."""
    made = await ada(accounts)
    ended, kept = [await accounts.sign_in("ada@example.org", PASSWORD) for _ in range(2)]
    await sign_ins.end(made.id, ended.claims.sid)
    await elsewhere.revocations.poll()
    for process in (accounts, elsewhere):
        with pytest.raises(Refusal):
            process.authenticate(ended.cookie, "session")
        assert process.authenticate(kept.cookie, "session")
    assert [one.sid for one in await sign_ins.of(made.id)] == [kept.claims.sid]
    async with reading(accounts._engine) as db:
        assert (await store.read_audit(db, 1))[0]["action"] == "session.end"


async def test_nobody_ends_anothers(accounts, sign_ins):
    """To everybody else a sign-in does not exist."""
    await ada(accounts)
    other = await ada(accounts, email="other@example.org")
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    assert await code_of(sign_ins.end(other.id, signed.claims.sid)) == "not_found"
    assert accounts.authenticate(signed.cookie, "session")


async def test_a_token_may_what_it_was_made_for(accounts, sign_ins, engine):
    """Its claims carry the scopes; name and secret stand in no row; making and ending it is written down."""
    await ada(accounts)
    actor = await signed_in(accounts)
    made, secret = await sign_ins.make_token(actor, "Till in Foyer", ["order.read"], 7)
    token = accounts.authenticate(secret, "token").actor
    assert (token.scopes, token.sid, token.stepped_up_ms) == (frozenset({"order.read"}), made.sid, 0)
    assert made.expires_ms == START_MS + 7 * DAY_MS
    assert next(one for one in await sign_ins.of(actor.account) if one.kind == "token") == made
    async with engine.connect() as db:
        written = "".join([repr((await db.execute(select(table))).all()) for table in metadata.sorted_tables])
    assert "Foyer" not in written
    assert secret.rpartition(".")[2] not in written
    await sign_ins.end(actor.account, made.sid)
    with pytest.raises(Refusal):
        accounts.authenticate(secret, "token")
    async with reading(engine) as db:
        actions = [row["action"] for row in await store.read_audit(db, 2)]
    assert actions == ["token.end", "token.make"]


async def test_the_same_call_gives_the_same_token(accounts, sign_ins, clock):
    """Repeated, a call makes no second token; with another wish it is refused; once ended it stays ended."""
    await ada(accounts)
    actor = await signed_in(accounts)
    first = await sign_ins.make_token(actor, "Till", ["order.read"], 7, "act1")
    clock.ms += 5_000
    assert await sign_ins.make_token(actor, "Till", ["order.read"], 7, "act1") == first
    assert len([one for one in await sign_ins.of(actor.account) if one.kind == "token"]) == 1
    with pytest.raises(KeyReused):
        await sign_ins.make_token(actor, "Till", ["order.create"], 7, "act1")
    await sign_ins.end(actor.account, "act1")
    assert await code_of(sign_ins.make_token(actor, "Till", ["order.read"], 7, "act1")) == "gone"


async def test_a_token_needs_a_fresh_proof(accounts, sign_ins, clock):
    """A browser left open makes no lasting key to the account, nor does a token."""
    await ada(accounts)
    actor = await signed_in(accounts)
    clock.ms += FRESH_MS + 1
    stale = await code_of(sign_ins.make_token(actor, "Till", [], 7))
    never = await code_of(sign_ins.make_token(msgspec.structs.replace(actor, stepped_up_ms=0), "Till", [], 7))
    assert (stale, never) == ("step_up_required", "step_up_required")


async def test_tokens_are_few(accounts, sign_ins):
    """At most MOST_TOKENS; ending one makes room."""
    await ada(accounts)
    actor = await signed_in(accounts)
    made = [await sign_ins.make_token(actor, f"t{n}", [], 7) for n in range(MOST_TOKENS)]
    assert await code_of(sign_ins.make_token(actor, "more", [], 7)) == "limit_reached"
    await sign_ins.end(actor.account, made[0][0].sid)
    assert await sign_ins.make_token(actor, "more", [], 7)
