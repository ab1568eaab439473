"""The session cookie: its name, how it is set, ended, and found among a browser's cookies. Pure."""

from __future__ import annotations

import re

SESSION_COOKIE = "livesale_session"

_SESSION = re.compile(rf"(?:^|;\s*){SESSION_COOKIE}=([^;\s]+)")


def session_cookie(value: str, age_s: int, secure: bool) -> str:
    """A `Set-Cookie` value starting a session of `age_s` seconds; an empty value and 0 end it."""
    parts = [f"{SESSION_COOKIE}={value}", "Path=/", f"Max-Age={age_s}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def session_of(cookies: str) -> str | None:
    """The session's value in a `Cookie` header."""
    found = _SESSION.search(cookies)
    return found[1] if found else None
