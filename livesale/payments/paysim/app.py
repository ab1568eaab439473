"""The sandbox as an app: wires book, courier and routes, turns refusals into problems, and serves on one
port.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from livesale.kernel.refusals import Refusal, not_found
from livesale.payments.paysim.answers import Answers, problem
from livesale.payments.paysim.book import Book
from livesale.payments.paysim.courier import Courier
from livesale.payments.paysim.faults import Faults, FaultSettings
from livesale.payments.paysim.intents import Intents
from livesale.payments.paysim.routes import LIVE_KEY_PREFIX, Sandbox
from livesale.payments.provider import REPLAYED_HEADER

MAX_BODY_BYTES = 64 * 1024
SHUTDOWN_S = 2.0

SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)
BOOK: web.AppKey[Book] = web.AppKey("book", Book)


def wall_clock_ms() -> int:
    """The sandbox is a party of its own and keeps its own time."""
    return time.time_ns() // 1_000_000


def make_app(
    db_path: Path | str,
    secret: str,
    *,
    webhook_url: str | None = None,
    webhook_secret: str = "",
    public_url: str | None = None,
    faults: FaultSettings | None = None,
    now_ms: Callable[[], int] = wall_clock_ms,
) -> web.Application:
    """The sandbox over the file `db_path`, reached with the key `secret`.

    `public_url`: base of the confirmation pages, default the host a payment was made under. ValueError for
    a live key or a webhook address without a secret.
    """
    if not secret or secret.startswith(LIVE_KEY_PREFIX):
        raise ValueError("the payment sandbox refuses live keys: give it one of its own, such as sk_test_…")
    if webhook_url and not webhook_secret:
        raise ValueError("webhooks are signed: a webhook address needs a webhook secret")
    bad_days = Faults(faults or FaultSettings())
    app = web.Application(
        middlewares=[_problems, _with_faults(bad_days), _keyed], client_max_size=MAX_BODY_BYTES
    )
    book = Book(Path(db_path))
    courier = Courier(book, webhook_url, webhook_secret, bad_days, now_ms)
    sandbox = Sandbox(book, Answers(book, now_ms), Intents(now_ms, courier.tell), secret, public_url)
    app[SANDBOX] = sandbox
    app[BOOK] = book
    app.add_routes(sandbox.routes())
    app.cleanup_ctx.append(_life(book, courier))
    return app


async def serve(
    host: str,
    port: int,
    db_path: Path | str,
    secret_key: str,
    webhook_url: str | None,
    webhook_secret: str,
    *,
    public_url: str | None = None,
    faults: FaultSettings | None = None,
) -> web.AppRunner:
    """The sandbox answering on `host:port` (0: any; see `runner.addresses`); `await runner.cleanup()` ends
    it.
    """
    app = make_app(
        db_path,
        secret_key,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        public_url=public_url,
        faults=faults,
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def _life(book: Book, courier: Courier) -> Callable[[web.Application], AsyncIterator[None]]:
    async def life(app: web.Application) -> AsyncIterator[None]:
        delivering = asyncio.create_task(courier.run())
        try:
            yield
        finally:
            delivering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await delivering
            await asyncio.to_thread(book.close)

    return life


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refused(refusal)
    except web.HTTPNotFound:
        return _refused(not_found("address"))
    except web.HTTPMethodNotAllowed as error:
        return _refused(Refusal("method_not_allowed", f"{request.method} is not possible here."), error)
    except web.HTTPRequestEntityTooLarge:
        return _refused(Refusal("too_large", f"A request has at most {MAX_BODY_BYTES} bytes."))


@web.middleware
async def _keyed(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/v1/"):
        request.app[SANDBOX].authorise(request)
    return await handler(request)


def _with_faults(faults: Faults) -> Middleware:
    kept: set[tuple[str, str]] = set()  # (path, key) of calls that are answered 500 for good

    @web.middleware
    async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        place = request.path, request.headers.get("Idempotency-Key", "")
        if place in kept:
            again = _refused(Refusal("internal", "A fault on order: this key's first answer again."))
            again.headers[REPLAYED_HEADER] = "true"
            return again
        fault = faults.of_call() if request.path.startswith("/v1/") else None
        if fault in ("before_kept", "after_kept"):
            if place[1]:
                kept.add(place)
            else:
                fault = None  # a call without a key has nothing to keep
        if fault in ("before_effect", "before_kept"):
            return _refused(Refusal("internal", "A fault on order: nothing was done."))
        answer = await handler(request)
        if fault in ("after_effect", "after_kept"):
            return _refused(Refusal("internal", "A fault on order: what was done is not told."))
        if fault == "timeout":
            await asyncio.sleep(faults.settings.timeout_s)
            if request.transport is not None:
                request.transport.abort()
        return answer

    return with_faults


def _refused(refusal: Refusal, original: web.HTTPMethodNotAllowed | None = None) -> web.Response:
    headers = {"Allow": original.headers["Allow"]} if original else None
    return web.Response(
        status=refusal.status,
        body=problem(refusal),
        content_type="application/problem+json",
        headers=headers,
    )
