"""Passkeys on a real database: what a device signs lets its owner in once, and nothing that is only nearly right does."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import select

from livesale.accounts import store
from livesale.accounts.challenges import CHALLENGE_MS, Challenges
from livesale.accounts.passkeys import MOST_PASSKEYS, Passkeys
from livesale.accounts.signins import FRESH_MS
from livesale.accounts.sites import Site
from livesale.kernel.actor import Actor
from livesale.store.database import metadata, reading
from tests.accounts.people import KEY, PASSWORD, ada, code_of
from tests.support.authenticator import Authenticator

HERE = Site("localhost", "http://localhost:8080")


@pytest.fixture
def passkeys(engine, accounts, clock) -> Passkeys:
    return Passkeys(engine, accounts, Challenges(KEY), clock)


@pytest.fixture
async def actor(accounts) -> Actor:
    """Ada, signed in just now."""
    await ada(accounts)
    return (await accounts.sign_in("ada@example.org", PASSWORD)).claims.actor


async def added(passkeys: Passkeys, actor: Actor, device: Authenticator, name: str = "Laptop"):
    """The device's passkey, added."""
    return await passkeys.add(actor, HERE, name, device.make(await passkeys.options_to_add(actor, HERE)))


async def test_in_with_a_passkey(accounts, passkeys, actor, clock):
    """Nobody names an account: the device does; the sign-in is fresh, and the use is noted."""
    device = Authenticator()
    made = await added(passkeys, actor, device)
    clock.ms += 60_000
    options = await passkeys.options_to_prove(HERE, None)
    assert not options.get("allowCredentials") and options["userVerification"] == "required"
    signed = await passkeys.enter(HERE, device.sign(options, actor.account), "Chrome Linux")
    assert (signed.claims.account, signed.claims.stepped_up) == (actor.account, clock.ms)
    assert accounts.authenticate(signed.cookie, "session")
    (listed,) = await passkeys.of(actor.account)
    assert listed == msgspec.structs.replace(made, used_ms=clock.ms)


async def test_a_step_up_by_passkey(accounts, passkeys, actor, clock):
    """The same sign-in becomes fresh; the browser is told which passkeys will do."""
    device = Authenticator()
    await added(passkeys, actor, device)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    mine = signed.claims.actor
    clock.ms += FRESH_MS + 1
    options = await passkeys.options_to_prove(HERE, mine)
    assert len(options["allowCredentials"]) == 1
    again = await passkeys.step_up(HERE, device.sign(options), mine, signed.claims)
    assert (again.claims.sid, again.claims.stepped_up) == (signed.claims.sid, clock.ms)
    async with reading(accounts._engine) as db:
        assert (await store.read_audit(db, 1))[0]["action"] == "session.step_up"


async def test_an_answer_is_good_once(passkeys, actor):
    """Replayed, also at the same moment and with an authenticator that does not count, it is refused."""
    for counts in (0, 1):
        device = Authenticator(counts=counts)
        await added(passkeys, actor, device)
        answer = device.sign(await passkeys.options_to_prove(HERE, None))
        done = await asyncio.gather(*[passkeys.enter(HERE, answer) for _ in range(4)], return_exceptions=True)
        refused = [one for one in done if isinstance(one, Exception)]
        assert len(refused) == 3 and {one.code for one in refused} <= {"expired", "unauthenticated"}
        assert await code_of(passkeys.enter(HERE, answer)) in ("expired", "unauthenticated")
    again = Authenticator()
    made = again.make(await passkeys.options_to_add(actor, HERE))
    await passkeys.add(actor, HERE, "Phone", made)
    assert await code_of(passkeys.add(actor, HERE, "Phone", made)) == "expired"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8081"},
        {"rp_id": "evil.example"},
        {"verified": False},
    ],
)
async def test_another_site_or_nobody_verified(passkeys, actor, wrong):
    """An answer made for another page, or without checking whose hand it is, neither adds a passkey nor lets in."""
    options = await passkeys.options_to_add(actor, HERE)
    assert await code_of(passkeys.add(actor, HERE, "x", Authenticator(**wrong).make(options))) == "unauthenticated"
    device = Authenticator()
    await added(passkeys, actor, device)
    for name, value in wrong.items():
        setattr(device, name, value)
    answer = device.sign(await passkeys.options_to_prove(HERE, None))
    assert await code_of(passkeys.enter(HERE, answer)) == "unauthenticated"


async def test_another_key_signs(passkeys, actor):
    """A device that knows the passkey's id and not its key is refused; so is one nobody has added."""
    device = Authenticator()
    await added(passkeys, actor, device)
    for other in (Authenticator(credential=device.credential), Authenticator()):
        answer = other.sign(await passkeys.options_to_prove(HERE, None))
        assert await code_of(passkeys.enter(HERE, answer)) == "unauthenticated"


async def test_a_copied_key_is_noticed(passkeys, actor):
    """A counter that does not grow is a copy: refused."""
    device = Authenticator()
    await added(passkeys, actor, device)
    await passkeys.enter(HERE, device.sign(await passkeys.options_to_prove(HERE, None)))
    device.count = 0
    answer = device.sign(await passkeys.options_to_prove(HERE, None))
    assert await code_of(passkeys.enter(HERE, answer)) == "unauthenticated"


async def test_challenges_do_not_serve_each_other(accounts, passkeys, actor, clock):
    """One asked to sign in proves nothing for a step-up, nor another sign-in's; none is good after five minutes."""
    device = Authenticator()
    await added(passkeys, actor, device)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    mine = signed.claims.actor
    for asker in (None, actor):
        answer = device.sign(await passkeys.options_to_prove(HERE, asker))
        assert await code_of(passkeys.step_up(HERE, answer, mine, signed.claims)) == "expired"
    answer = device.sign(await passkeys.options_to_prove(HERE, mine))
    assert await code_of(passkeys.enter(HERE, answer)) == "expired"
    clock.ms += CHALLENGE_MS
    assert await code_of(passkeys.step_up(HERE, answer, mine, signed.claims)) == "expired"


async def test_anothers_passkey_is_no_step_up(accounts, passkeys, actor):
    """Whoever sits at an open browser does not become its owner with a passkey of their own."""
    await ada(accounts, email="eve@example.org")
    eve = (await accounts.sign_in("eve@example.org", PASSWORD)).claims.actor
    device = Authenticator()
    await added(passkeys, eve, device)
    signed = await accounts.sign_in("ada@example.org", PASSWORD)
    answer = device.sign(await passkeys.options_to_prove(HERE, signed.claims.actor))
    assert await code_of(passkeys.step_up(HERE, answer, signed.claims.actor, signed.claims)) == "unauthenticated"


async def test_adding_and_removing_need_a_fresh_proof(passkeys, actor, clock):
    """A browser left open gains no lasting way in, and loses its owner none."""
    device = Authenticator()
    made = await added(passkeys, actor, device)
    credential = Authenticator().make(await passkeys.options_to_add(actor, HERE))
    clock.ms += FRESH_MS + 1
    assert await code_of(passkeys.options_to_add(actor, HERE)) == "step_up_required"
    assert await code_of(passkeys.add(actor, HERE, "x", credential)) == "step_up_required"
    assert await code_of(passkeys.remove(actor, made.id)) == "step_up_required"


async def test_the_last_way_in_stays(accounts, passkeys, actor, engine):
    """Without a password the only passkey cannot be removed; with another one it can, and is no way in any more."""
    device = Authenticator()
    made = await added(passkeys, actor, device)
    async with engine.begin() as db:
        await store.set_password(db, actor.account, "")
    assert await code_of(passkeys.remove(actor, made.id)) == "conflict"
    await added(passkeys, actor, Authenticator(), "Phone")
    await passkeys.remove(actor, made.id)
    answer = device.sign(await passkeys.options_to_prove(HERE, None))
    assert await code_of(passkeys.enter(HERE, answer)) == "unauthenticated"
    assert [one.name for one in await passkeys.of(actor.account)] == ["Phone"]


async def test_whose_they_are(accounts, passkeys, actor, engine):
    """Nobody renames or removes another's; names stand in no row; a passkey belongs to one account."""
    device = Authenticator()
    made = await added(passkeys, actor, device, "Tablet in Kitchen")
    await ada(accounts, email="eve@example.org")
    eve = (await accounts.sign_in("eve@example.org", PASSWORD)).claims.actor
    assert await code_of(passkeys.rename(eve, made.id, "mine")) == "not_found"
    assert await code_of(passkeys.remove(eve, made.id)) == "not_found"
    assert await code_of(added(passkeys, eve, device)) == "conflict"
    renamed = await passkeys.rename(actor, made.id, "Kitchen Tablet")
    assert await passkeys.of(actor.account) == [renamed]
    async with engine.connect() as db:
        written = "".join([repr((await db.execute(select(table))).all()) for table in metadata.sorted_tables])
    assert "Kitchen" not in written


async def test_they_are_few(passkeys, actor):
    """At most MOST_PASSKEYS."""
    for _ in range(MOST_PASSKEYS):
        await added(passkeys, actor, Authenticator())
    assert await code_of(added(passkeys, actor, Authenticator())) == "limit_reached"


@pytest.mark.parametrize(
    "nonsense",
    [{}, {"response": None}, {"response": {"clientDataJSON": "%"}}, {"response": {"clientDataJSON": 5}}, {"rawId": [1]}],
)
async def test_nonsense_is_refused(passkeys, actor, nonsense):
    """Whatever is sent as a credential, the answer is a refusal."""
    assert await code_of(passkeys.enter(HERE, nonsense)) == "unauthenticated"
    assert await code_of(passkeys.add(actor, HERE, "x", nonsense)) == "unauthenticated"
    answer = Authenticator().sign(await passkeys.options_to_prove(HERE, None))
    assert await code_of(passkeys.enter(HERE, {**answer, **nonsense})) == "unauthenticated"


