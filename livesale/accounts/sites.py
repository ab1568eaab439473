"""Sites: under which name a passkey is made and asked for (Web Authentication, section 5.1.2: a domain, never an address)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from livesale.kernel.refusals import Refusal

LOCAL = "localhost"  # the one name browsers trust without https


class Site(NamedTuple):
    """`rp_id` is what a passkey belongs to, `origin` the page that may use it."""

    rp_id: str
    origin: str


def site_of(host: str, secure: bool, public_urls: Sequence[str]) -> Site:
    """The site a page asked under `host` (name and port) belongs to; refused where passkeys cannot work."""
    for url in public_urls:
        parts = urlsplit(url)
        if parts.netloc == host and parts.hostname:
            return Site(parts.hostname, url.rstrip("/"))
    name, _, port = host.partition(":")
    if name == LOCAL:
        return Site(LOCAL, f"{'https' if secure else 'http'}://{host}")
    there = public_urls[0] if public_urls else f"http://{LOCAL}{':' if port else ''}{port}"
    raise Refusal("conflict", f"Passkeys belong to a name, not to an address. Open this page as {there}")
