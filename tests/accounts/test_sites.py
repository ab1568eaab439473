"""Sites: a passkey belongs to a public name of ours, or to localhost; never to what a stranger's Host header says."""

import pytest

from livesale.accounts.sites import site_of
from livesale.kernel.refusals import Refusal

PUBLIC = ["https://live.example.org", "https://b.example.org:8443/"]


@pytest.mark.parametrize(
    ("host", "secure", "site"),
    [
        ("live.example.org", True, ("live.example.org", "https://live.example.org")),
        ("live.example.org", False, ("live.example.org", "https://live.example.org")),
        ("b.example.org:8443", True, ("b.example.org", "https://b.example.org:8443")),
        ("localhost:8080", False, ("localhost", "http://localhost:8080")),
    ],
)
def test_where_passkeys_work(host, secure, site):
    """The origin is the public one, whatever scheme a proxy speaks to us."""
    assert site_of(host, secure, PUBLIC) == site


@pytest.mark.parametrize("host", ["evil.example", "live.example.org.evil.example", "127.0.0.1:8080", "[::1]:8080", ""])
def test_where_they_do_not(host):
    """Refused with the address to open instead."""
    with pytest.raises(Refusal) as said:
        site_of(host, True, PUBLIC)
    assert "https://live.example.org" in said.value.detail
    with pytest.raises(Refusal, match="http://localhost"):
        site_of(host, False, [])
