"""Probes: for loopback or the token; nobody else learns that they exist."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client.registry import Collector

from livesale.http.app import HttpOptions, make_app
from livesale.ops.mails import MailFigures
from tests.http.served import VIEWER, Callers, Connect, Room, application
from tests.http.test_endpoint import problem

PROBES = ["/healthz", "/readyz", "/metrics"]


@pytest.mark.parametrize("path", PROBES)
async def test_probes_are_for_loopback_or_the_token(aiohttp_client: Connect, path: str) -> None:
    """Behind a proxy only the token opens them; everyone else finds nothing."""
    client = await aiohttp_client(application(Room(), probe_token="let-me-in"))
    forwarded = {"X-Forwarded-For": "1.2.3.4"}
    assert (await client.get(path)).status == 200
    await problem(await client.get(path, headers=forwarded), 404, "not_found")
    await problem(await client.get(path, headers={**forwarded, "Authorization": "Bearer guess"}), 404, "not_found")
    assert (await client.get(path, headers={**forwarded, "Authorization": "Bearer let-me-in"})).status == 200


async def test_an_empty_token_opens_nothing(aiohttp_client: Connect) -> None:
    """No token set means loopback only, not a token of no characters."""
    client = await aiohttp_client(application(Room()))
    for bearer in ("Bearer", "Bearer ", ""):
        headers = {"X-Forwarded-For": "1.2.3.4", "Authorization": bearer}
        assert (await client.get("/metrics", headers=headers)).status == 404


async def test_ready_names_what_is_not(aiohttp_client: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failing or silent check makes the process not ready, by name."""

    async def fine() -> None: ...

    async def broken() -> None:
        raise ConnectionError

    async def silent() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("livesale.http.probes.CHECK_S", 0.01)
    checks = {"store": fine, "database": broken, "studio": silent}
    client = await aiohttp_client(make_app([], Callers(), None, HttpOptions(), checks))
    response = await client.get("/readyz")
    assert response.status == 503
    assert await response.json() == {"ready": False, "checks": {"store": True, "database": False, "studio": False}}


async def test_figures_that_cannot_be_told_are_left_out(
    aiohttp_client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has to be asked for is asked at each look; a database that fails or is silent hides nothing else."""
    looks: list[int] = []

    async def looked() -> Collector:
        looks.append(1)
        pushes = {"sent": 3, "refused": 0, "given_up": 0}
        return MailFigures({"waiting": len(looks), "sent": 7, "refused": 1, "given_up": 0}, pushes)

    async def broken() -> Collector:
        raise ConnectionError

    async def silent() -> Collector:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("livesale.http.probes.CHECK_S", 0.01)
    options = HttpOptions(figures=[broken, looked, silent])
    client = await aiohttp_client(make_app([], Callers(), None, options, {}))
    for waiting in ("1.0", "2.0"):
        response = await client.get("/metrics")
        text = await response.text()
        assert (response.status, f"livesale_mails_waiting {waiting}" in text) == (200, True)
        assert 'livesale_mails_total{result="sent"} 7.0' in text
        assert 'livesale_mails_total{result="refused"} 1.0' in text
        assert 'livesale_pushes_total{result="sent"} 3.0' in text


async def test_metrics_count_by_route_and_status(aiohttp_client: Connect) -> None:
    """Each route counts under its template, strangers' paths under one label; all names are ours."""
    client = await aiohttp_client(application(Room()))
    await client.get("/api/v1/echo/secret-name")
    await client.get("/api/v1/mine")
    await client.get("/api/v1/mine", headers=VIEWER)
    await client.get("/wp-admin.php")
    text = await (await client.get("/metrics")).text()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(line.startswith("livesale_") for line in samples)
    requests = 'livesale_http_requests_total{method="%s",route="%s",status="%s"} 1.0'
    assert requests % ("GET", "/api/v1/echo/{name}", 200) in samples
    assert requests % ("GET", "/api/v1/mine", 401) in samples
    assert requests % ("GET", "/api/v1/mine", 200) in samples
    assert requests % ("other", "unmatched", 404) in samples
    assert 'livesale_http_request_seconds_count{method="GET",route="/api/v1/mine"} 2.0' in samples
    assert "secret-name" not in text
    assert "wp-admin" not in text
