"""Password and mailed code together are a fresh proof; a code is good once, and guesses are counted for good."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.codes import CODE_MS, MOST_SENT, MOST_TRIED, WINDOW_MS, Codes
from livesale.accounts.model import Account
from livesale.accounts.passwords import Passwords
from livesale.accounts.service import Accounts
from livesale.accounts.tokens import Claims, Tokens
from tests.accounts.people import KEY, PASSWORD, QUICK, Clock, ada, code_of
from tests.accounts.test_ages import everything


class Letterbox:
    """Keeps the codes that are mailed, or fails to."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.is_broken = False

    async def __call__(self, account: Account, code: str) -> None:
        if self.is_broken:
            raise OSError(f"{account.email} is unreachable")
        self.codes.append(code)


@pytest.fixture
def mailing(engine: AsyncEngine, clock: Clock) -> Accounts:
    """Accounts where mails are sent: a password alone is no fresh proof."""
    return Accounts(engine, Tokens(KEY), KEY, now_ms=clock, passwords=Passwords(QUICK), password_proves=False)


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def codes(engine: AsyncEngine, mailing: Accounts, clock: Clock, box: Letterbox) -> Codes:
    return Codes(engine, mailing, KEY, clock, box)


async def entered(accounts: Accounts) -> Claims:
    return (await accounts.sign_in("ada@example.org", PASSWORD)).claims


async def test_shared_device_saved_password(mailing: Accounts, codes: Codes, box: Letterbox, clock: Clock) -> None:
    """Whoever finds the password in the browser is signed in, and no more: a fresh proof takes the mail box, too."""
    await ada(mailing)
    claims = await entered(mailing)
    assert claims.stepped_up == 0
    assert await code_of(codes.step_up(claims, PASSWORD, "")) == "unauthenticated"
    await codes.ask(claims, PASSWORD)
    clock.ms += 1_000
    stepped = await codes.step_up(claims, PASSWORD, box.codes[0])
    assert (stepped.claims.stepped_up, stepped.claims.sid) == (clock.ms, claims.sid)


async def test_a_code_is_good_once(mailing: Accounts, codes: Codes, box: Letterbox, clock: Clock) -> None:
    """Used by two at once one succeeds; then it is void, as it is after ten minutes, or when another one was asked for."""
    await ada(mailing)
    claims = await entered(mailing)
    await codes.ask(claims, PASSWORD)
    both = await asyncio.gather(*(codes.step_up(claims, PASSWORD, box.codes[0]) for _ in "12"), return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in both) == 1
    await codes.ask(claims, PASSWORD)
    await codes.ask(claims, PASSWORD)
    assert await code_of(codes.step_up(claims, PASSWORD, box.codes[1])) == "unauthenticated"
    clock.ms += CODE_MS
    assert await code_of(codes.step_up(claims, PASSWORD, box.codes[2])) == "unauthenticated"


async def test_a_code_is_for_the_sign_in_that_asked(mailing: Accounts, codes: Codes, box: Letterbox) -> None:
    """Read over a shoulder it opens no other browser, and without the password not even its own."""
    await ada(mailing)
    mine, other = await entered(mailing), await entered(mailing)
    await codes.ask(mine, PASSWORD)
    assert await code_of(codes.step_up(other, PASSWORD, box.codes[0])) == "unauthenticated"
    assert await code_of(codes.step_up(mine, "wrong one", box.codes[0])) == "unauthenticated"
    assert await code_of(codes.ask(mine, "wrong one")) == "unauthenticated"
    assert await codes.step_up(mine, PASSWORD, box.codes[0])


async def test_guesses_are_counted_for_good(
    engine: AsyncEngine, mailing: Accounts, codes: Codes, box: Letterbox, clock: Clock
) -> None:
    """Ten wrong answers in an hour and not even the right one counts, in this process or one started anew."""
    await ada(mailing)
    claims = await entered(mailing)
    await codes.ask(claims, PASSWORD)
    guesses = (codes.step_up(claims, PASSWORD, f"x{number}") for number in range(MOST_TRIED))
    assert {await code_of(guess) for guess in guesses} == {"unauthenticated"}
    anew = Codes(engine, mailing, KEY, clock, box)
    assert await code_of(anew.step_up(claims, PASSWORD, box.codes[0])) == "rate_limited"
    clock.ms += WINDOW_MS
    await anew.ask(claims, PASSWORD)
    assert await anew.step_up(claims, PASSWORD, box.codes[-1])


async def test_nobody_s_mail_box_is_flooded(mailing: Accounts, codes: Codes, box: Letterbox) -> None:
    """Five codes an hour, then it takes patience."""
    await ada(mailing)
    claims = await entered(mailing)
    for _ in range(MOST_SENT):
        await codes.ask(claims, PASSWORD)
    assert await code_of(codes.ask(claims, PASSWORD)) == "rate_limited"
    assert len(box.codes) == MOST_SENT


async def test_what_is_kept_of_a_code(
    engine: AsyncEngine, mailing: Accounts, codes: Codes, box: Letterbox, caplog: pytest.LogCaptureFixture
) -> None:
    """No table has it, and a mail server's words about the address reach no log."""
    await ada(mailing)
    claims = await entered(mailing)
    await codes.ask(claims, PASSWORD)
    assert box.codes[0] not in await everything(engine)
    box.is_broken = True
    assert await code_of(codes.ask(claims, PASSWORD)) == "store_unavailable"
    assert "example.org" not in caplog.text


async def test_where_no_mails_are_sent_the_password_is_enough(engine: AsyncEngine, accounts: Accounts, clock: Clock) -> None:
    """There is no second way to reach anyone: the refusal says so, and the password counts as before."""
    await ada(accounts)
    alone = Codes(engine, accounts, KEY, clock, None)
    claims = await entered(accounts)
    assert await code_of(alone.ask(claims, PASSWORD)) == "conflict"
    clock.ms += 1_000
    assert (await alone.step_up(claims, PASSWORD, "")).claims.stepped_up == clock.ms
