"""Browser sessions: the session cookie, and the CSRF token that goes with it.

The token is a hash of the session cookie, which pages cannot read: whoever plants a cookie cannot plant a token
that fits. It is sent as the readable cookie `livesale_csrf` whenever an answer sets the session cookie.
"""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web
from multidict import CIMultiDict

from livesale.accounts.cookies import SESSION_COOKIE, session_of
from livesale.http.peers import Peer
from livesale.kernel.refusals import Refusal

CSRF_COOKIE = "livesale_csrf"
CSRF_HEADER = "X-CSRF-Token"
READING = frozenset({"GET", "HEAD"})


def credentials(request: web.BaseRequest) -> tuple[str | None, str | None]:
    """(bearer token, session cookie); a bearer token, when there is one, is the only one looked at."""
    headers = request.headers
    authorization = headers.get("Authorization")
    if authorization is not None and authorization[:7].lower() == "bearer ":
        return authorization[7:].strip(), None
    cookies = headers.get("Cookie")
    return None, session_of(cookies) if cookies else None


def csrf_of(session: str) -> str:
    """The CSRF token of a session cookie."""
    return hashlib.sha256(f"{CSRF_COOKIE}:{session}".encode()).hexdigest()[:32]


def check_csrf(request: web.BaseRequest, session: str) -> None:
    """Refusal forbidden unless a write with a session cookie carries its CSRF token."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), csrf_of(session).encode()):
        raise Refusal("forbidden", f"The {CSRF_HEADER} header must repeat the {CSRF_COOKIE} cookie. Reload the page.")


def check_origin(request: web.BaseRequest, peer: Peer, public: frozenset[str]) -> None:
    """Refusal forbidden when a browser says that another site's page sends this write."""
    origin = request.headers.get("Origin")
    if origin is None or origin.rstrip("/") in public or origin.partition("://")[2] == peer.host != "":
        return
    raise Refusal("forbidden", "Another site's page may not do this.")


def add_csrf_cookie(response: web.Response) -> None:
    """Where `response` sets or ends the session, do the same to the CSRF cookie, for the same time."""
    cookie = response.headers.get("Set-Cookie", "")
    name, _, rest = cookie.partition("=")
    if name != SESSION_COOKIE:
        return
    session, _, attributes = rest.partition(";")
    kept = [part.strip() for part in attributes.split(";") if part.strip().lower() != "httponly"]
    value = csrf_of(session) if session else ""
    headers: CIMultiDict[str] = response.headers
    headers.add("Set-Cookie", "; ".join([f"{CSRF_COOKIE}={value}", *kept]))
