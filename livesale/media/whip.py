"""WHIP over HTTP (RFC 9725): decode, call Broadcasts, encode."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from livesale.kernel.refusals import Refusal
from livesale.media.broadcasts import Broadcasts
from livesale.media.offer import MAX_OFFER_BYTES

SDP = "application/sdp"
ICE_FRAGMENT = "application/trickle-ice-sdpfrag"
PRECONDITION_FAILED = 412
PRECONDITION_REQUIRED = 428

Authorise = Callable[[str, str], bool | Awaitable[bool]]
Handler = Callable[[web.Request], Awaitable[web.Response]]

# The bearer token is the only key, so any page may speak WHIP to us: nothing is done by cookies.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
}


def whip_routes(sessions: Broadcasts, authorise: Authorise) -> list[web.RouteDef]:
    """The routes of `/whip/{show}` and `/whip/{show}/{session}`.

    `authorise(show, token)` says whether a bearer token may publish to a show (plain or awaitable); it may
    raise a Refusal of its own, and may open the show first.
    """
    endpoint = _Endpoint(sessions, authorise)
    return [
        web.post("/whip/{show}", _refusing(endpoint.publish)),
        web.options("/whip/{show}", _refusing(endpoint.options)),
        web.patch("/whip/{show}/{session}", _refusing(endpoint.trickle)),
        web.delete("/whip/{show}/{session}", _refusing(endpoint.end)),
        web.options("/whip/{show}/{session}", _refusing(endpoint.options)),
    ]


class _Endpoint:
    def __init__(self, sessions: Broadcasts, authorise: Authorise) -> None:
        self._sessions = sessions
        self._authorise = authorise

    async def publish(self, request: web.Request) -> web.Response:
        show = request.match_info["show"]
        await self._check(request, show)
        offer = await _body(request, SDP)
        session = await self._sessions.publish(show, offer, takeover=request.query.get("takeover") == "1")
        location = f"{request.path}/{session.id}"
        headers = {"Location": location, "ETag": session.etag, **self._links(), **_CORS}
        return web.Response(status=201, body=session.answer.encode(), content_type=SDP, headers=headers)

    async def trickle(self, request: web.Request) -> web.Response:
        show, session = request.match_info["show"], request.match_info["session"]
        await self._check(request, show)
        etag = self._sessions.etag(show, session)
        asked = request.headers.get("If-Match")
        if asked is None:
            return _problem(PRECONDITION_REQUIRED, "invalid", "Send If-Match with the session's ETag.")
        if asked not in (etag, "*"):
            return _problem(PRECONDITION_FAILED, "superseded", "The ETag is not this session's.")
        restarted = await self._sessions.add_candidates(show, session, await _body(request, ICE_FRAGMENT))
        if restarted is None:
            return web.Response(status=204, headers=_CORS)
        headers = {"ETag": restarted.etag, **_CORS}
        return web.Response(
            status=200, body=restarted.fragment.encode(), content_type=ICE_FRAGMENT, headers=headers
        )

    async def end(self, request: web.Request) -> web.Response:
        show = request.match_info["show"]
        await self._check(request, show)
        await self._sessions.end_session(show, request.match_info["session"])
        return web.Response(status=200, headers=_CORS)

    async def options(self, request: web.Request) -> web.Response:
        """What is taken here; with the show's token also which STUN and TURN servers there are."""
        headers = {"Accept-Post": SDP, "Accept-Patch": ICE_FRAGMENT, **_CORS}
        if "Authorization" in request.headers:
            await self._check(request, request.match_info["show"])
            headers |= self._links()
        return web.Response(status=204, headers=headers)

    def _links(self) -> dict[str, str]:
        links = self._sessions.links()
        return {"Link": links} if links else {}

    async def _check(self, request: web.Request, show: str) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal("unauthenticated", "Send the show's WHIP token: Authorization: Bearer TOKEN.")
        allowed = self._authorise(show, token.strip())
        if inspect.isawaitable(allowed):
            allowed = await allowed
        if not allowed:
            raise Refusal("forbidden", "This token does not allow publishing to this show.")


async def _body(request: web.Request, content_type: str) -> str:
    if request.content_type != content_type:
        raise Refusal("unsupported", f"The body must be {content_type}.")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_OFFER_BYTES:
            raise Refusal("too_large", f"The body has at most {MAX_OFFER_BYTES} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refusal("malformed", "The body is not UTF-8 text.") from None


def _refusing(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _problem(refusal.status, refusal.code, refusal.detail, refusal.retry_after_s)

    return answer


def _problem(status: int, code: str, detail: str, retry_after_s: int | None = None) -> web.Response:
    headers = dict(_CORS)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    title = code.replace("_", " ").capitalize()
    problem = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    body = msgspec.json.encode(problem)
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=headers)
