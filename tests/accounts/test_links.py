"""Sign-in links on a real database: one use, fifteen minutes, and nobody learns from asking who has an account."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import select

from livesale.accounts import store
from livesale.accounts.attempts import FAILURES
from livesale.accounts.challenges import Challenges
from livesale.accounts.links import LINK_MS, Links
from livesale.accounts.passkeys import Passkeys
from livesale.accounts.sites import Site
from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata, reading
from tests.accounts.people import KEY, ada, code_of
from tests.support.authenticator import Authenticator

ORIGIN = "https://live.example.org"


class Letterbox:
    """Keeps what is mailed, or fails to."""

    def __init__(self) -> None:
        self.links: list[tuple[str, str]] = []
        self.is_broken = False

    async def __call__(self, account, link: str) -> None:
        if self.is_broken:
            raise OSError("nobody@example.org is unreachable")
        self.links.append((account.email, link))


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def links(engine, accounts, clock, box) -> Links:
    return Links(engine, accounts, ORIGIN, clock, box)


async def mailed(links: Links, box: Letterbox, email: str = "ada@example.org") -> str:
    """The secret of a link just asked for."""
    links.ask(email)
    await links.sent()
    return box.links[-1][1].removeprefix(f"{ORIGIN}/login#link=")


async def test_a_link_signs_in_once(accounts, links, box, engine):
    """Used by two at once, one gets in; the sign-in is no step-up; only a hash was ever written."""
    made = await ada(accounts)
    secret = await mailed(links, box)
    async with engine.connect() as db:
        written = "".join([repr((await db.execute(select(table))).all()) for table in metadata.sorted_tables])
    assert secret not in written
    done = await asyncio.gather(*[links.enter(secret, "Firefox Linux") for _ in range(4)], return_exceptions=True)
    (signed,) = [one for one in done if not isinstance(one, Exception)]
    assert (signed.claims.account, signed.claims.stepped_up) == (made.id, 0)
    assert accounts.authenticate(signed.cookie, "session")
    assert await code_of(links.enter(secret)) == "expired"
    async with reading(engine) as db:
        assert [row["action"] for row in await store.read_audit(db, 2)] == ["session.begin", "session.link"]


async def test_a_link_ends(accounts, links, box, clock):
    """Good up to the last millisecond of its fifteen minutes, and not after."""
    await ada(accounts)
    first, second = [await mailed(links, box) for _ in range(2)]
    clock.ms += LINK_MS - 1
    assert await links.enter(first)
    clock.ms += 1
    assert await code_of(links.enter(second)) == "expired"
    assert await code_of(links.enter("nonsense")) == "expired"


async def test_strangers_are_told_the_same(accounts, links, box):
    """Asking for an unknown address says nothing and mails nobody."""
    await ada(accounts)
    links.ask("nobody@example.org")
    await links.sent()
    assert box.links == []
    await mailed(links, box)
    assert [email for email, _ in box.links] == ["ada@example.org"]


async def test_nobodys_box_is_filled(accounts, links, box, clock):
    """After ten in a quarter of an hour no more are sent to one address, nor asked for from one."""
    await ada(accounts)
    for _ in range(FAILURES):
        links.ask("ada@example.org", "10.0.0.1")
    for email, address in [("ada@example.org", None), ("other@example.org", "10.0.0.1")]:
        with pytest.raises(Refusal) as said:
            links.ask(email, address)
        assert said.value.code == "rate_limited"
    await links.sent()
    assert len(box.links) == FAILURES


async def test_without_mails_it_is_said(engine, accounts, clock):
    """Where nothing is sent nobody is left waiting."""
    with pytest.raises(Refusal) as said:
        Links(engine, accounts, ORIGIN, clock, None).ask("ada@example.org")
    assert "sends no mails" in said.value.detail


async def test_a_mail_that_fails_leaves_no_secret_in_the_log(accounts, links, box, caplog):
    """The log says that it failed, neither to whom nor what."""
    await ada(accounts)
    box.is_broken = True
    with caplog.at_level(logging.WARNING):
        links.ask("ada@example.org")
        await links.sent()
    assert "OSError" in caplog.text
    assert "example.org" not in caplog.text and "#link" not in caplog.text


async def test_a_link_is_enough_for_the_first_passkey(engine, accounts, links, box, clock):
    """An account with no other way in gets its first passkey; with one, the next needs a fresh proof."""
    await ada(accounts, password=None)
    actor = (await links.enter(await mailed(links, box))).claims.actor
    passkeys, here = Passkeys(engine, accounts, Challenges(KEY), clock), Site("localhost", "http://localhost:8080")
    await passkeys.add(actor, here, "Phone", Authenticator().make(await passkeys.options_to_add(actor, here)))
    assert await code_of(passkeys.options_to_add(actor, here)) == "step_up_required"
