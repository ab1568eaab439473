"""The web application: wires routes, pages, probes and documentation into one aiohttp Application.

One middleware, `guard`, turns every exception into a problem, counts the request and protects pages; all that an API
call needs is in endpoint.py.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.http import docs, openapi, problems
from livesale.http.endpoint import Authenticator, Endpoint, Gate
from livesale.http.idempotency import Replies
from livesale.http.limits import Limiter, Limits
from livesale.http.metrics import RequestMetrics
from livesale.http.pages import Pages
from livesale.http.peers import Peers
from livesale.http.probes import Figures, Probes, ReadyCheck
from livesale.http.replies import Reply, protect, response_of
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import Route
from livesale.store.valkey import Store

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What the application is told from outside.

    `max_body` caps every route's `most_bytes`; `web_dist` is the built front end, `pictures` holds SHOP/FILE;
    `figures` are asked for further Prometheus collectors at each `/metrics`; their names must begin `livesale_`.
    """

    trusted_proxies: Sequence[str] = ()
    public_urls: Sequence[str] = ()
    probe_token: str = ""
    web_dist: Path | None = None
    pictures: Path | None = None
    max_body: int = 64 * 1024 * 1024
    limits: Limits = field(default_factory=Limits)
    figures: Sequence[Figures] = ()


def make_app(
    routes: list[Route],
    auth: Authenticator,
    store: Store | None,
    options: HttpOptions,
    checks: Mapping[str, ReadyCheck] | None = None,
    database: AsyncEngine | None = None,
) -> web.Application:
    """The application serving `routes` under `/api/v1`, with pages, documentation and probes.

    Further handlers may be added to its router before it starts; `guard` covers them too.
    """
    metrics = RequestMetrics()
    app = web.Application(middlewares=[_guard(metrics)], client_max_size=options.max_body)
    peers = Peers(options.trusted_proxies)
    public = frozenset(url.rstrip("/") for url in options.public_urls)
    gate = Gate(auth, peers, Limiter(options.limits), Replies(store, database), public, options.max_body)
    # aiohttp tries the addresses that begin alike one after another, 25 of them under /shows: orders come first.
    for route in sorted(routes, key=lambda route: not route.atomic):
        app.router.add_routes([_served(route, gate)])
    app.router.add_routes(_documentation(routes))
    probes = Probes(peers, options.probe_token, checks or {}, metrics, options.figures)
    app.router.add_routes(probes.routes())
    app.router.add_routes(Pages(options.web_dist, options.pictures).routes())
    return app


def _served(route: Route, gate: Gate) -> web.RouteDef:
    handler = Endpoint(route, gate).answer
    path = openapi.BASE + route.path
    return web.get(path, handler) if route.method == "GET" else web.route(route.method, path, handler)


def _documentation(routes: list[Route]) -> list[web.RouteDef]:
    document = openapi.document(routes)
    described, readable = msgspec.json.encode(document), docs.page(document)

    async def give(_request: web.Request) -> web.Response:
        return response_of(Reply(200, described))

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=readable, content_type="text/html")

    async def style(_request: web.Request) -> web.Response:
        return web.Response(text=docs.STYLE, content_type="text/css")

    return [
        web.get(f"{openapi.BASE}/openapi.json", give),
        web.get("/api/docs", show),
        web.get("/api/docs.css", style),
    ]


def _guard(metrics: RequestMetrics) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        began_s = time.perf_counter()
        try:
            response = await handler(request)
            if "X-Content-Type-Options" not in response.headers:
                protect(response)
        except Refusal as refusal:
            response = response_of(problems.of_refusal(refusal))
        except web.HTTPException as error:
            if error.status < 400:
                raise  # a redirect
            response = response_of(problems.of_http(error))
        except ConnectionError:
            raise  # the client is gone: there is nobody to answer
        except Exception as error:
            response = response_of(problems.of_error(error, _where(request)))
        metrics.record(request.match_info.route, response.status, time.perf_counter() - began_s)
        return response

    return guard


def _where(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else '?'}"
