"""What stands in an address: path parameters and query, refused when they are no text."""

from __future__ import annotations

from urllib.parse import unquote_plus, unquote_to_bytes

from aiohttp import web

from livesale.kernel.refusals import Refusal, invalid

MOST_ITEMS = 200


def path_of(request: web.Request) -> dict[str, str]:
    """The path parameters; Refusal malformed for percent-encodings that are no UTF-8 text."""
    if "%" in request.raw_path:
        _check(request.raw_path.partition("?")[0])
    return dict(request.match_info)


def query_of(request: web.Request, names: tuple[str, ...]) -> dict[str, str]:
    """The query parameters of these names; others are left alone, `limit` is a number from 1 to 200."""
    _, _, text = request.raw_path.partition("?")
    if not text or not names:
        return {}
    found: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name not in names:
            continue
        if name in found:
            raise invalid(name, "given twice")
        found[name] = unquote_plus(_check(value))
    if "limit" in found and not (found["limit"].isascii() and found["limit"].isdigit() and _fits(found["limit"])):
        raise invalid("limit", f"must be a whole number from 1 to {MOST_ITEMS}")
    return found


def _fits(digits: str) -> bool:
    return len(digits) <= 4 and 1 <= int(digits) <= MOST_ITEMS


def _check(text: str) -> str:
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Refusal("malformed", "The address has percent-encodings that are no UTF-8 text.") from None
    if any(ord(character) < 32 or character == "\x7f" for character in decoded):
        raise Refusal("malformed", "The address has control characters in it.")
    return text
