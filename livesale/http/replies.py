"""Reply: a response ready to be sent, what makes one of a handler's answer, and the one place that turns it into
aiohttp's, with its security headers.
"""

from __future__ import annotations

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from livesale.kernel.routing import Answer, Route

JSON = "application/json"
PROBLEM = "application/problem+json"

# An API answer is never a document: should a browser be talked into opening one, nothing in it runs.
_API_HEADERS = {
    "Server": "livesale",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

PAGE_HEADERS = {
    "Server": "livesale",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=()",
    # ws: and wss: because a hub has a port of its own; styles set by script need no 'unsafe-inline'.
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob:; "
        "script-src 'self'; style-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
}

_TEMPLATES = {
    kind: CIMultiDict({"Content-Type": kind, **_API_HEADERS}) for kind in (JSON, PROBLEM)
}


_encode = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True):
    """Status, body and further headers; `Content-Type` is JSON unless `headers` say otherwise."""

    status: int
    body: bytes
    kind: str = JSON
    headers: dict[str, str] = {}


def reply_of(answer: Answer, route: Route) -> Reply:
    """A handler's answer as a reply: status 200 stands for the status the route declares."""
    status = route.status if answer.status == 200 else answer.status
    if status == 204:
        return Reply(status, b"", JSON, answer.headers)
    body = answer.body if isinstance(answer.body, bytes) else _encode(answer.body)
    return Reply(status, body, PROBLEM if status >= 400 else JSON, answer.headers)


def response_of(reply: Reply) -> web.Response:
    """The aiohttp response of `reply`."""
    headers = _TEMPLATES[reply.kind].copy()
    if reply.headers:
        headers.update(reply.headers)
    if reply.status == 204:
        del headers["Content-Type"]
    return web.Response(body=reply.body, status=reply.status, headers=headers)


def protect(response: web.StreamResponse) -> None:
    """Give a page or file the security headers it does not have yet."""
    if response.prepared:
        return
    for name, value in PAGE_HEADERS.items():
        response.headers.setdefault(name, value)
