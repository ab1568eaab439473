"""Request bodies: read no further than allowed, decoded into the route's type, mistakes named by their field."""

from __future__ import annotations

import asyncio
import re
from types import NoneType
from typing import Any, get_args

import msgspec
from aiohttp import web

from livesale.kernel.refusals import Refusal

READ_S = 30.0  # a body that takes longer to arrive holds a connection hostage

_AT = re.compile(r"\A(?P<reason>.*?)(?: - at `\$(?P<path>[^`]*)`)?\Z", re.DOTALL)
_NAMED = re.compile(r"(?:missing required field|unknown field) `(?P<name>[^`]+)`")


async def read_body(request: web.BaseRequest, most: int) -> bytes:
    """The whole body; Refusal too_large beyond `most` bytes, counted after decompression."""
    content = request.content
    if content.is_eof():  # small bodies came in with their headers
        body = content.read_nowait()
    else:
        length = request.content_length
        if length is not None and length > most:
            raise _too_large(most)
        body = await _arriving(content, most)
    if len(body) > most:
        raise _too_large(most)
    return body


async def _arriving(content: Any, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_S):
            while size <= most and (part := await content.readany()):
                parts.append(part)
                size += len(part)
    except TimeoutError:
        raise Refusal("malformed", "The body did not arrive in time.") from None
    except ConnectionError:  # gone in the middle: nobody reads this, and it is no accident of ours to be logged
        raise Refusal("malformed", "The body ended early.") from None
    return b"".join(parts)


def _too_large(most: int) -> Refusal:
    return Refusal("too_large", f"The body may have {most} bytes at most.")


def is_optional(kind: Any) -> bool:
    """Whether a body of this type may be left out."""
    return NoneType in get_args(kind)


class BodyDecoder:
    """Decodes JSON into one type."""

    def __init__(self, kind: Any) -> None:
        self._decode = msgspec.json.Decoder(kind).decode
        self._nothing = b"null" if is_optional(kind) else b""

    def __call__(self, body: bytes) -> Any:
        """The value; Refusal malformed when it is not JSON, invalid when it is not of the type."""
        if b"\\u0000" in body:  # PostgreSQL's text cannot hold it, and no field means it
            raise Refusal("malformed", "The body has a U+0000 in it.")
        try:
            return self._decode(body or self._nothing)
        except msgspec.ValidationError as error:
            raise _invalid(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal("malformed", f"The body is not JSON: {error}") from None


def _invalid(message: str) -> Refusal:
    """`Expected `int`, got `str` - at `$.lines[0].quantity`` names the field `lines[0].quantity`."""
    found = _AT.match(message)
    assert found is not None
    reason = found["reason"]
    path = (found["path"] or "").removeprefix(".")
    if named := _NAMED.search(reason):
        path = f"{path}.{named['name']}" if path else named["name"]
    return Refusal("invalid", f"{path or 'body'}: {reason}", [{"field": path or "body", "detail": reason}])
