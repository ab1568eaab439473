"""Devices: two words of a User-Agent, whatever else a browser calls itself."""

import pytest

from livesale.accounts.devices import device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/142.0 Safari/537.36 Edg/142.0", "Edge Windows"),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel) {WEBKIT} Chrome/142.0 Mobile Safari/537.36", "Chrome Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/19.0 Safari/605.1", "Safari Mac"),
        ("curl/8.5", ""),
        ("Mozilla/5.0 (Linux)", "Linux"),
        ("\x00<b>" * 500, ""),
    ],
)
def test_two_words(user_agent, device):
    """The browser and its system, in words of ours only."""
    assert device_of(user_agent) == device
