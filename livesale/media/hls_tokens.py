"""Tokens in HLS addresses: `/hls/{show}/~EXPIRES.SIGNATURE/index.m3u8`, checked by `web` or by a CDN before it.

The token is a piece of the path, so every address in a playlist, being relative, carries it; a playlist is the same for
everyone and a cache leaves the piece out of its key. EXPIRES is in seconds since 1970; SIGNATURE is the HMAC-SHA256 in hex
of `/hls/{show}/EXPIRES` with the setting `hls.secret`.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from livesale.kernel.refusals import Refusal

_TOKEN = re.compile(r"~([0-9]{1,12})\.([0-9a-f]{64})")


def signed(secret: str, show: str, expires_s: int) -> str:
    """The piece of the path that lets into a show's HLS until `expires_s`."""
    return f"~{expires_s}.{_signature(secret, show, expires_s)}"


def check(secret: str, show: str, token: str | None, now_s: int) -> None:
    """Refusal `forbidden` unless the token opens this show now; without a secret every show is open."""
    if not secret:
        return
    found = _TOKEN.fullmatch(token or "")
    if found is None:
        raise Refusal("forbidden", "This address needs a token; take it from the show's `hls`.")
    expires_s = int(found[1])
    if not hmac.compare_digest(found[2], _signature(secret, show, expires_s)):
        raise Refusal("forbidden", "This token is not for this show.")
    if now_s >= expires_s:
        raise Refusal("forbidden", "This token has expired; ask for the show again.")


def _signature(secret: str, show: str, expires_s: int) -> str:
    return hmac.new(secret.encode(), f"/hls/{show}/{expires_s}".encode(), hashlib.sha256).hexdigest()
