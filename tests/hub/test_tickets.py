"""Tickets without a socket."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from livesale.hub.tickets import Claims, UsedTickets, anonymous_tag, issue, new_jti, verify, viewer_tag
from livesale.kernel.refusals import Refusal

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
CLAIMS = Claims("show1", "tag1", "jti1", "edge-1", 4, 30_000, False)
TICKET = issue(KEY, CLAIMS)


def test_round_trip() -> None:
    """What was signed is read back, by the named hub and by an upstream that asks for none."""
    assert verify(PUBLIC, TICKET, hub="edge-1", now_ms=29_999) == CLAIMS
    assert verify(PUBLIC, TICKET, hub=None, now_ms=0) == CLAIMS
    assert issue(b"k" * 32, CLAIMS) == TICKET


@pytest.mark.parametrize(
    ("hub", "now_ms", "late", "code"),
    [
        ("edge-2", 0, False, "unauthenticated"),
        ("edge-1", 30_000, False, "expired"),
        ("edge-1", 30_000, True, None),
    ],
)
def test_refused(hub: str, now_ms: int, late: bool, code: str | None) -> None:
    """Another hub's and one that has run out are refused, the latter not when it is shown again."""
    if code is None:
        verify(PUBLIC, TICKET, hub=hub, now_ms=now_ms, late=late)
        return
    with pytest.raises(Refusal) as refused:
        verify(PUBLIC, TICKET, hub=hub, now_ms=now_ms, late=late)
    assert refused.value.code == code


@given(some.integers(0, len(TICKET) - 1), some.characters(codec="ascii"))
def test_any_changed_character(place: int, character: str) -> None:
    """There is one spelling of a ticket: any other is refused."""
    changed = TICKET[:place] + character + TICKET[place + 1 :]
    if changed == TICKET:
        return
    with pytest.raises(Refusal):
        verify(PUBLIC, changed, hub="edge-1", now_ms=0)


@given(some.text(max_size=80))
def test_noise(text: str) -> None:
    """Any text that is no ticket is a refusal, not an error."""
    with pytest.raises(Refusal):
        verify(PUBLIC, text, hub="edge-1", now_ms=0)


def test_another_key() -> None:
    """A ticket signed by anyone else is refused."""
    with pytest.raises(Refusal):
        verify(PUBLIC, issue(b"x" * 32, CLAIMS), hub="edge-1", now_ms=0)


def test_tags() -> None:
    """An account has one tag a show, none that tells shows apart from accounts, and nobody else has it."""
    tag = viewer_tag(b"t" * 32, "ann", "show1")
    assert tag == viewer_tag(b"t" * 32, "ann", "show1")
    others = {viewer_tag(b"t" * 32, "ann", "show2"), viewer_tag(b"t" * 32, "ben", "show1"), anonymous_tag(), new_jti()}
    assert tag not in others | {viewer_tag(b"u" * 32, "ann", "show1")}
    assert len(others) == 4


def test_used_tickets() -> None:
    """A jti passes once; it is forgotten when its ticket has run out anyway."""
    used = UsedTickets()
    used.use(CLAIMS)
    with pytest.raises(Refusal):
        used.use(CLAIMS)
    used.forget(29_999)
    assert len(used) == 1
    used.forget(30_000)
    assert len(used) == 0
