"""What is outside and what is ours, address by address."""

from __future__ import annotations

import pytest

from livesale.kernel.outside import Inside, check_outside

OURS = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[fec0::1]", "[ff0e::1]", "[::ffff:10.0.0.1]", "[::10.0.0.1]",
)  # fmt: skip
CARRIED = ("[64:ff9b::10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::808:808]", "[2002:a00:1::1]", "[2002:7f00:1::]")
PUBLIC = ("8.8.8.8", "[2606:4700::1]", "[64:ff9b::8.8.8.8]", "[2002:808:808::1]", "push.example.org")


@pytest.mark.parametrize("host", [*OURS, *CARRIED])
def test_our_own_network_is_inside(host: str) -> None:
    """Whatever way an address of ours is written, NAT64 (RFC 6052, 8215) and 6to4 around an IPv4 address included."""
    with pytest.raises(Inside, match="our own network"):
        check_outside(f"https://{host}/x")
    check_outside(f"https://{host}/x", private=True)


@pytest.mark.parametrize("host", PUBLIC)
def test_the_internet_is_outside(host: str) -> None:
    """Also by NAT64, by which a machine that speaks IPv6 alone goes there; names are judged when they are resolved."""
    check_outside(f"https://{host}/x")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://8.8.8.8/", "https://", "nonsense"])
def test_other_schemes_are_none(address: str) -> None:
    """Only what was asked for is an address at all."""
    with pytest.raises(Inside, match="not an http or https address"):
        check_outside(address, private=True)
