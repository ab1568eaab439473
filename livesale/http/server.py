"""The HTTP server around the application: what cannot even be parsed is answered with a problem too, and an address
that has been asked for lately is not resolved again.

aiohttp answers parser errors by itself, in plain text, before any application code; overriding its connection's
`handle_error` is the one place it offers. tests/http/test_fuzz.py breaks when aiohttp changes that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from livesale.http.problems import of_error, of_http, problem
from livesale.http.replies import response_of
from livesale.kernel.refusals import Refusal

KEEP_ALIVE_S = 75.0
SHUTDOWN_S = 10.0
LINGER_S = 2.0  # what a refused client still sends is thrown away for so long, lest it miss the answer
MOST_ADDRESSES = 1024  # of 8 KiB at most

_Handler = Callable[..., Awaitable[web.StreamResponse]]


class _Remembering:
    """An application as the server's handler. What its router found for a method and address is remembered: to resolve
    it anew, and to wrap it in the middlewares, is a quarter of what aiohttp does for an order (store/COMMIT.md)."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._found: dict[tuple[str, str], tuple[UrlMappingMatchInfo, _Handler]] = {}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)
        found = self._found.get((request.method, request.raw_path))
        if found is None or hdrs.EXPECT in request.headers:
            return await self._resolved(request)
        request._match_info, handler = found
        return await handler(request)

    async def _resolved(self, request: web.Request) -> web.StreamResponse:
        response = await self._app._handle(request)
        match = request.match_info
        if match.http_exception is None and "?" not in request.raw_path:
            handler: _Handler = match.handler
            for middleware in reversed(self._app.middlewares):
                handler = partial(middleware, handler=handler)
            if len(self._found) >= MOST_ADDRESSES:
                self._found.clear()
            self._found[request.method, request.raw_path] = match, handler
        return response


class _Connection(RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status < 500:
            response = response_of(problem(400, "malformed", "The request is not HTTP as it should be."))
        else:
            error = exc if isinstance(exc, Exception) and not isinstance(exc, Refusal) else RuntimeError(message)
            response = response_of(of_error(error, "connection"))
        response.force_close()
        return response

    def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        # An unknown Expect header is refused by aiohttp before any middleware.
        if isinstance(resp, web.HTTPException) and resp.status >= 400:
            resp = response_of(of_http(resp))
        return super().finish_response(request, resp, start_time)


class _Server(Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An AppRunner without access log, whose connections answer with problems."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(
            app, access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=SHUTDOWN_S, lingering_time=LINGER_S,
            **options,
        )

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        return _Server(
            _Remembering(self.app), request_factory=made.request_factory, loop=asyncio.get_running_loop(), **made._kwargs
        )


async def serve(app: web.Application, host: str, port: int) -> Runner:
    """Start serving `app`; end it with `await runner.cleanup()`. `runner.addresses` has the port when it was 0."""
    runner = Runner(app)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=1024).start()
    return runner
