"""The signature rules of webhooks."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesale.kernel.refusals import Refusal
from livesale.payments.provider import Attempt
from livesale.payments.webhooks import TOLERANCE_S, WebhookEvent, read, sign, verify

NOW_S = 1_800_000_000
BODY = b'{"id":"evt_1"}'


def test_a_signed_body_is_believed() -> None:
    """What was signed with the shared secret is accepted, up to the last second of the tolerance."""
    verify("secret", sign("secret", BODY, NOW_S), BODY, NOW_S + TOLERANCE_S)
    verify("secret", sign("secret", BODY, NOW_S), BODY, NOW_S - TOLERANCE_S)


def test_one_of_several_signatures_is_enough() -> None:
    """A secret can be changed: a delivery signed with the old and the new one is accepted under either."""
    old, new = sign("old", BODY, NOW_S), sign("new", BODY, NOW_S)
    header = f"{old},{new.partition(',')[2]}"
    verify("old", header, BODY, NOW_S)
    verify("new", header, BODY, NOW_S)


@pytest.mark.parametrize("seconds", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 10**9])
def test_an_old_delivery_cannot_be_played_again(seconds: int) -> None:
    """A genuine delivery is refused once it is further from now than the tolerance."""
    with pytest.raises(Refusal) as refused:
        verify("secret", sign("secret", BODY, NOW_S), BODY, NOW_S + seconds)
    assert refused.value.code == "unauthenticated"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        f"t={NOW_S}",
        "v1=00",
        f"t={NOW_S},t={NOW_S},v1=00",
        f"t={NOW_S},v1=",
        f"t=-{NOW_S},v1=00",
        f"t={NOW_S},v0={sign('secret', BODY, NOW_S)[-64:]}",
        f"t={NOW_S}" + ",v1=00" * 1000,
        "t=١٢,v1=00",
        f"t={NOW_S},v1=\udcff",
    ],
)
def test_a_header_that_signs_nothing_is_refused(header: str | None) -> None:
    """Missing, doubled, empty and foreign fields are a refusal, not an error."""
    with pytest.raises(Refusal) as refused:
        verify("secret", header, BODY, NOW_S)
    assert refused.value.code == "unauthenticated"


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 2**33), st.integers(0, 2**33))
def test_neither_body_nor_time_can_be_changed(
    body: bytes, other: bytes, signed_s: int, stated_s: int
) -> None:
    """A signature vouches for exactly one body at one time."""
    signature = sign("secret", body, signed_s).partition("v1=")[2]
    header = f"t={stated_s},v1={signature}"
    if (body, signed_s) == (other, stated_s):
        verify("secret", header, other, stated_s)
    else:
        with pytest.raises(Refusal):
            verify("secret", header, other, stated_s)


@given(st.text(max_size=300))
def test_any_header_is_a_yes_or_a_refusal(header: str) -> None:
    """No header makes the check fail in another way than a refusal."""
    with pytest.raises(Refusal):
        verify("secret", header, BODY, NOW_S)


def test_an_event_reads_back() -> None:
    """What the sandbox writes, the reader understands."""
    event = WebhookEvent("evt_1", "intent.captured", 5, Attempt("captured", "pi_1", captured=7))
    assert read(msgspec.json.encode(event)) == event


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b"[" * 60_000, b'{"id":"evt_1"}'])
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    """Anything else in a signed body is a refusal."""
    with pytest.raises(Refusal) as refused:
        read(body)
    assert refused.value.code == "malformed"


def test_a_huge_body_is_refused_unread() -> None:
    """A webhook's size is bounded."""
    with pytest.raises(Refusal) as refused:
        read(b" " * (64 * 1024 + 1))
    assert refused.value.code == "too_large"
