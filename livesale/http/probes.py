"""Probes: alive, ready, metrics. For this machine's loopback, or whoever has the probe token; nobody else sees them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from livesale.http.metrics import exposition
from livesale.http.peers import Peers
from livesale.http.replies import Reply, response_of
from livesale.http.sessions import credentials
from livesale.kernel.refusals import Refusal

ReadyCheck = Callable[[], Awaitable[object]]  # raises when not ready
Figures = Callable[[], Awaitable[Collector]]  # what has to be asked for first

CHECK_S = 2.0

_log = structlog.get_logger("livesale.http")


class Alive(msgspec.Struct):
    """The process answers."""

    alive: bool = True


class Readiness(msgspec.Struct):
    """Whether it can serve, and what of it can."""

    ready: bool
    checks: dict[str, bool]


class Probes:
    """The three probes of an application."""

    def __init__(
        self,
        peers: Peers,
        token: str,
        checks: Mapping[str, ReadyCheck],
        requests: Collector,
        figures: Sequence[Figures],
    ) -> None:
        self._peers = peers
        self._token = token
        self._checks = checks
        self._requests = requests
        self._figures = figures

    def routes(self) -> list[web.RouteDef]:
        """Their addresses, at the root."""
        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]

    async def _alive(self, request: web.Request) -> web.Response:
        self._admit(request)
        return response_of(Reply(200, msgspec.json.encode(Alive())))

    async def _ready(self, request: web.Request) -> web.Response:
        self._admit(request)
        found = await asyncio.gather(*(_passes(name, check) for name, check in self._checks.items()))
        told = Readiness(all(found), dict(zip(self._checks, found, strict=True)))
        return response_of(Reply(200 if told.ready else 503, msgspec.json.encode(told)))

    async def _metrics(self, request: web.Request) -> web.Response:
        self._admit(request)
        asked = await asyncio.gather(*(_asked(figures) for figures in self._figures))
        told = [self._requests, *(collector for collector in asked if collector)]
        return response_of(Reply(200, exposition(told), headers={"Content-Type": CONTENT_TYPE_LATEST}))

    def _admit(self, request: web.Request) -> None:
        bearer, _ = credentials(request)
        known = bool(self._token) and hmac.compare_digest((bearer or "").encode(), self._token.encode())
        if not known and not self._peers.of(request).local:
            raise Refusal("not_found", "There is nothing at this address.")


async def _passes(name: str, check: ReadyCheck) -> bool:
    try:
        await asyncio.wait_for(check(), CHECK_S)
    except Exception as error:  # whatever it is, we are not ready
        _log.warning("not_ready", check=name, error=repr(error))
        return False
    return True


async def _asked(figures: Figures) -> Collector | None:
    """What cannot be told now is left out: the other figures matter most when something is wrong."""
    try:
        return await asyncio.wait_for(figures(), CHECK_S)
    except Exception as error:
        _log.warning("no_figures", error=repr(error))
        return None
