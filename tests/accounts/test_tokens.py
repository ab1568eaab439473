"""Tokens: only what this system signed, unaltered, of the right kind and not expired, is believed."""

import secrets
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesale.accounts.tokens import Claims, Tokens
from livesale.kernel.refusals import Refusal

CLAIMS = Claims("token", "4k2c9x7m1q", ("host", "viewer"), "DE", 1_000, 9_000, "sid1", 0)
KEY = bytes(range(32))


def refused(tokens: Tokens, token: str, kind="token", now_ms=2_000) -> bool:
    with pytest.raises(Refusal) as said:
        tokens.open(token, kind, now_ms)
    return said.value.code == "unauthenticated" and said.value.status == 401


def test_round_trip():
    """What was signed is what is read, twice, by any process with the key."""
    token = Tokens(KEY).sign(CLAIMS)
    reader = Tokens(KEY)
    assert [reader.open(token, "token", 2_000) for _ in range(2)] == [CLAIMS, CLAIMS]
    assert CLAIMS.actor.has("host")


def test_expiry_and_kind():
    """A token ends at its millisecond, also for a process that has opened it before; a token is no cookie."""
    tokens = Tokens(KEY)
    token = tokens.sign(CLAIMS)
    assert tokens.open(token, "token", 8_999) == CLAIMS
    assert refused(tokens, token, now_ms=9_000)
    assert refused(tokens, token, kind="session")


def test_another_key():
    """A token of another system is refused."""
    assert refused(Tokens(secrets.token_bytes(32)), Tokens(KEY).sign(CLAIMS))


@given(st.data())
def test_every_altered_character_is_noticed(data):
    """No single character can be changed, added or taken away."""
    tokens = Tokens(KEY)
    token = tokens.sign(CLAIMS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "-_.=").filter(lambda c: c != token[place])
    )
    for forged in (
        token[:place] + other + token[place + 1 :],
        token[:place] + token[place + 1 :],
        token[:place] + other + token[place:],
    ):
        if forged != token:
            assert refused(tokens, forged)


@given(st.text(max_size=300))
def test_nonsense_is_refused(text):
    """Whatever is sent as a token, the answer is a refusal."""
    assert refused(Tokens(KEY), text)


def test_signed_with_other_claims():
    """Rightly signed bytes that are no claims of ours are refused too."""
    tokens = Tokens(KEY)

    class Other(msgspec.Struct, array_like=True):
        kind: str = "token"

    assert refused(tokens, tokens.sign(Other()))  # type: ignore[arg-type]


def test_csrf_belongs_to_one_sign_in():
    """Another sign-in's value does not pass."""
    tokens = Tokens(KEY)
    assert tokens.csrf(CLAIMS) == tokens.csrf(msgspec.structs.replace(CLAIMS, stepped_up=5))
    assert tokens.csrf(CLAIMS) != tokens.csrf(msgspec.structs.replace(CLAIMS, sid="sid2"))
