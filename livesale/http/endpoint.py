"""Endpoint: one Route as an aiohttp handler. The order of its checks is the order of this file's `answer`.

Law: one plain coroutine from request to reply, no stack of middlewares: this is every order's path.
"""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import web

from livesale.accounts.permissions import check_scope
from livesale.http.bodies import BodyDecoder, read_body
from livesale.http.idempotency import HEADER, Replies, fingerprint, key_of
from livesale.http.limits import Limiter
from livesale.http.paths import path_of, query_of
from livesale.http.peers import Peer, Peers
from livesale.http.replies import Reply, reply_of, response_of
from livesale.http.sessions import READING, add_csrf_cookie, check_csrf, check_origin, credentials
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import Call, Route

# Signing in and registering: limited more strictly, and they use nothing of a session that may be there already.
ENTRIES = frozenset(
    ("POST", path)
    for path in ("/accounts", "/session", "/session/passkey", "/session/link", "/session/link/enter")
)


class Authenticator(Protocol):
    """Says who calls: the account behind a bearer token or a session cookie, None when it is nobody's."""

    async def actor(self, bearer: str | None, cookie: str | None) -> Actor | None: ...


class Gate:
    """What all endpoints of an application share."""

    def __init__(
        self,
        authenticator: Authenticator,
        peers: Peers,
        limiter: Limiter,
        replies: Replies,
        public: frozenset[str],
        max_body: int,
    ) -> None:
        self.authenticator = authenticator
        self.peers = peers
        self.limiter = limiter
        self.replies = replies
        self.public = public
        self.max_body = max_body

    async def caller(self, request: web.Request, route: Route, peer: Peer) -> Actor | None:
        """The caller, checked against the route's roles; a browser's write also against forgery."""
        bearer, cookie = credentials(request)
        writes = route.method not in READING
        if writes and bearer is None:
            check_origin(request, peer, self.public)
        actor = None
        if bearer is not None or cookie is not None:
            actor = await self.authenticator.actor(bearer, cookie)
        if actor is None:
            if route.who:
                raise Refusal("unauthenticated", "Please sign in first.")
            return None
        if writes and cookie is not None and (route.method, route.path) not in ENTRIES:
            check_csrf(request, cookie)
        self.limiter.admit_account(peer, actor.account)
        if not route.who:  # what is more than anyone's there needs the account itself, not a part of its rights
            return actor if actor.scopes is None else None
        if actor.roles.isdisjoint(route.who):
            raise Refusal("forbidden", "Your account may not do this.")
        check_scope(actor, route.method, route.path)
        return actor


class Endpoint:
    """Serves one Route; `answer` is its handler."""

    def __init__(self, route: Route, gate: Gate) -> None:
        self._route = route
        self._gate = gate
        self._writes = route.method not in READING
        self._most = min(route.most_bytes, gate.max_body)
        self._is_entry = (route.method, route.path) in ENTRIES
        self._decode = None if route.body in (None, bytes) else BodyDecoder(route.body)

    async def answer(self, request: web.Request) -> web.Response:
        """The response to `request`; raises Refusal."""
        route, gate = self._route, self._gate
        path = path_of(request)
        peer = gate.peers.of(request)
        gate.limiter.admit(peer, self._is_entry)
        actor = await gate.caller(request, route, peer)
        raw = await read_body(request, self._most) if self._writes else b""
        body: Any = self._decode(raw) if self._decode else None
        key = key_of(request.headers.get(HEADER), route) if self._writes else None
        call = Call(
            actor,
            path,
            raw if route.body is bytes else body,
            raw,
            query_of(request, route.query),
            key,
            fingerprint(route.method, request.raw_path, raw) if key is not None else "",
            peer.host,
            peer.secure,
            peer.address,
            request.headers,
            peer.local,
        )
        if key is None:
            reply = await self._execute(call)
        else:
            reply = await gate.replies.once(route, call, self._execute)
        response = response_of(reply)
        if "Set-Cookie" in reply.headers:
            add_csrf_cookie(response)
        return response

    async def _execute(self, call: Call) -> Reply:
        answer = await self._route.handler(call)
        return reply_of(answer, self._route)
