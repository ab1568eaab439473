"""Problems (RFC 9457): the one place where a refusal, or an accident, becomes an HTTP error.

Law: what broke inside is logged under a reference; only the reference leaves the house.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from livesale.http.replies import PROBLEM, Reply
from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal
from livesale.store.decision import Conflict, Early, KeyReused, Short

DOCS = "/api/docs"

_log = structlog.get_logger("livesale.http")
_encode = msgspec.json.Encoder().encode

_CODE_OF_STATUS = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    406: ("not_acceptable", "None of the forms asked for can be given."),
    413: ("too_large", "The request is larger than this address takes."),
    415: ("unsupported", "This kind of content is not understood here."),
    417: ("malformed", "Of the Expect header only 100-continue is understood."),
}


class Problem(msgspec.Struct, omit_defaults=True):
    """What every error answers: `code` is for programs, `detail` for people, `errors` one per field or line."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, Any]] = []


def problem(status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None) -> Reply:
    """The reply of one problem."""
    title = code.replace("_", " ").capitalize()
    body = _encode(Problem(f"{DOCS}#{code}", title, status, code, detail, errors or []))
    return Reply(status, body, PROBLEM)


def of_refusal(refusal: Refusal) -> Reply:
    """The reply of a refusal, with the headers its status calls for."""
    reply = problem(refusal.status, refusal.code, refusal.detail, refusal.errors)
    if reply.status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    if reply.status in (429, 503) or refusal.retry_after_s is not None:
        reply.headers["Retry-After"] = str(refusal.retry_after_s or 1)
    return reply


def of_http(error: web.HTTPException) -> Reply:
    """The reply of an error aiohttp itself raised."""
    code, detail = _CODE_OF_STATUS.get(error.status, ("malformed", "The request cannot be understood."))
    reply = problem(error.status, code, detail)
    if isinstance(error, web.HTTPMethodNotAllowed):
        reply.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return reply


def of_error(error: Exception, where: str) -> Reply:
    """The reply of any other exception: known ones by name, the rest as `internal`, logged with a reference."""
    known = _known(error)
    if known is not None:
        if known.status >= 500 and known is not error:
            _log.warning("unavailable", where=where, error=str(error))
        return of_refusal(known)
    reference = random_name(10)
    _log.error("request_failed", reference=reference, where=where, exc_info=error)
    reply = problem(500, "internal", f"Something went wrong on our side. Please quote reference {reference}.")
    reply.headers["X-Request-Id"] = reference
    return reply


def _known(error: Exception) -> Refusal | None:
    """What a room let through that is nobody's mistake here."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, KeyReused):
        return Refusal("idempotency_key_reused", "This Idempotency-Key was used with another request.")
    if isinstance(error, Conflict | Early):
        return Refusal("conflict", "This was changed at the same moment. Please look again.")
    if isinstance(error, Short):
        return Refusal("short", "There is not enough left.")
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        return Refusal("malformed", "The body is not transferred as its headers say.")
    if isinstance(error, OperationalError | PoolTimeout):  # locked, restarting, or more callers than connections
        return Refusal("store_unavailable", "The database does not answer right now.", retry_after_s=1)
    if isinstance(error, RedisError) and not isinstance(error, ResponseError):
        return Refusal("store_unavailable", "The store does not answer right now.", retry_after_s=1)
    return None
