"""Rate limits: a burst, then a steady rate, by address and by account; loopback is left out."""

from __future__ import annotations

import math

import pytest

from livesale.http import limits
from livesale.http.limits import Buckets, Limits, Rate, bucket_of
from tests.http.served import VIEWER, Connect, Room, application
from tests.http.test_endpoint import problem

FORWARDED = {"X-Forwarded-For": "1.2.3.4"}


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    """`burst` at once, then one each 1/`per_s`; what it says to wait is enough and not too much."""
    buckets = Buckets(Rate(per_s=2, burst=3))
    assert [buckets.take("a", 100.0) for _ in range(3)] == [0, 0, 0]
    wait_s = buckets.take("a", 100.0)
    assert math.isclose(wait_s, 0.5)
    assert buckets.take("b", 100.0) == 0
    assert buckets.take("a", 100.0 + wait_s - 0.01) > 0
    assert buckets.take("a", 100.0 + wait_s) == 0
    assert [buckets.take("a", 200.0) for _ in range(4)][:3] == [0, 0, 0]


def test_a_flood_of_keys_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many addresses call, memory does not grow, and idle ones go first."""
    monkeypatch.setattr(limits, "MOST_KEYS", 100)
    buckets = Buckets(Rate(per_s=1, burst=1))
    for number in range(1000):
        buckets.take(str(number), float(number // 300))
    assert len(buckets._full_at) <= 100


def test_a_subscriber_has_one_bucket() -> None:
    """An IPv6 subscriber holds a network of 64 bits and cannot change address to be let in again."""
    assert bucket_of("2001:db8::1") == bucket_of("2001:db8::ffff:1") != bucket_of("2001:db8:0:1::1")
    assert bucket_of("1.2.3.4") != bucket_of("1.2.3.5")


async def test_too_many_calls_are_told_when_to_come_back(aiohttp_client: Connect) -> None:
    """Beyond the address's burst: 429 with Retry-After; another address is not concerned."""
    few = Limits(address=Rate(0.1, 3))
    client = await aiohttp_client(application(Room(), trusted_proxies=["127.0.0.1"], limits=few))
    for _ in range(3):
        assert (await client.get("/api/v1/echo/a", headers=FORWARDED)).status == 200
    response = await client.get("/api/v1/echo/a", headers=FORWARDED)
    await problem(response, 429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 10
    assert (await client.get("/api/v1/echo/a", headers={"X-Forwarded-For": "4.3.2.1"})).status == 200


async def test_an_account_is_limited_wherever_it_calls_from(aiohttp_client: Connect) -> None:
    """Changing the address does not fill an account's bucket."""
    few = Limits(account=Rate(0.1, 2))
    client = await aiohttp_client(application(Room(), trusted_proxies=["127.0.0.1"], limits=few))
    statuses = [
        (await client.get("/api/v1/mine", headers={**VIEWER, "X-Forwarded-For": f"1.2.3.{number}"})).status
        for number in range(3)
    ]
    assert statuses == [200, 200, 429]


async def test_signing_in_is_limited_more_strictly(aiohttp_client: Connect) -> None:
    """Guessing passwords from one address soon ends, while other calls go on."""
    client = await aiohttp_client(application(Room(), limits=Limits(entry=Rate(0.1, 2))))
    statuses = [(await client.post("/api/v1/session", headers=FORWARDED)).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await client.get("/api/v1/echo/a", headers=FORWARDED)).status == 200


async def test_a_lying_header_does_not_help(aiohttp_client: Connect) -> None:
    """Without a trusted proxy, a made-up X-Forwarded-For gives no fresh bucket."""
    client = await aiohttp_client(application(Room(), limits=Limits(address=Rate(0.1, 2))))
    statuses = [
        (await client.get("/api/v1/echo/a", headers={"X-Forwarded-For": f"1.2.3.{number}"})).status
        for number in range(3)
    ]
    assert statuses == [200, 200, 429]


async def test_loopback_is_left_out(aiohttp_client: Connect) -> None:
    """This machine's own programs are never told to wait."""
    none = Rate(0.001, 1)
    client = await aiohttp_client(application(Room(), limits=Limits(none, none, none)))
    for _ in range(5):
        assert (await client.get("/api/v1/mine", headers=VIEWER)).status == 200
        assert (await client.post("/api/v1/session")).status == 200
