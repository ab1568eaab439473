"""Who is at the other end: nobody but a trusted proxy can say that somebody else is."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from livesale.http.peers import Peer, Peers


def peer(remote: str, headers: dict[str, str], *trusted: str) -> Peer:
    """What Peers makes of a request."""
    request = make_mocked_request("GET", "/", headers={"Host": "a:80", **headers}).clone(remote=remote)
    return Peers(trusted).of(request)


@pytest.mark.parametrize("remote", ["127.0.0.1", "::1", "127.8.9.1", "::ffff:127.0.0.1"])
def test_loopback_is_local(remote: str) -> None:
    """A loopback peer that forwards for nobody is this machine itself."""
    assert peer(remote, {}).local


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"])
def test_a_forwarding_loopback_peer_is_not_local(name: str) -> None:
    """A proxy on this machine speaks for strangers, trusted or not."""
    assert not peer("127.0.0.1", {name: "127.0.0.1"}).local
    assert not peer("127.0.0.1", {name: "127.0.0.1"}, "127.0.0.1").local


@pytest.mark.parametrize(
    ("remote", "chain", "trusted", "found"),
    [
        ("9.9.9.9", "1.1.1.1", (), "9.9.9.9"),
        ("9.9.9.9", "1.1.1.1", ("10.0.0.0/8",), "9.9.9.9"),
        ("10.0.0.1", "1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1, 10.0.0.2", ("10.0.0.0/8",), "1.1.1.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ("10.0.0.0/8",), "10.0.0.3"),
        ("10.0.0.1", "nonsense", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, nonsense", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1:4711", ("10.0.0.1",), "1.1.1.1"),
        ("::1", "[2001:db8::1]:4711", ("::1",), "2001:db8::1"),
        ("::ffff:10.0.0.1", "1.1.1.1", ("10.0.0.0/8",), "1.1.1.1"),
    ],
)
def test_the_rightmost_stranger_is_the_client(remote: str, chain: str, trusted: tuple[str, ...], found: str) -> None:
    """Of a chain of forwarders, what stands left of the first stranger was written by the stranger."""
    assert peer(remote, {"X-Forwarded-For": chain}, *trusted).address == found


def test_host_and_scheme_come_from_trusted_proxies_only() -> None:
    """X-Forwarded-Host and -Proto count when a trusted proxy says so."""
    headers = {"X-Forwarded-Host": "live.example.org", "X-Forwarded-Proto": "https"}
    assert (peer("10.0.0.1", headers, "10.0.0.1").host, peer("10.0.0.1", headers, "10.0.0.1").secure) == (
        "live.example.org",
        True,
    )
    assert (peer("10.0.0.1", headers).host, peer("10.0.0.1", headers).secure) == ("a:80", False)


@pytest.mark.parametrize("host", ["evil/path", "a b", "a@b", "<x>", "a:b", "a:123456", "[::1", "ä.example"])
def test_a_host_that_is_none_is_dropped(host: str) -> None:
    """What ends up in addresses we give out has the form of a host name."""
    assert peer("1.1.1.1", {"Host": host}).host == ""


@pytest.mark.parametrize("host", ["localhost:8080", "[::1]:8080", "live.example.org", "192.168.0.1:80"])
def test_a_host_is_kept(host: str) -> None:
    """A name or address, with or without port."""
    assert peer("1.1.1.1", {"Host": host}).host == host
