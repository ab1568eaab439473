"""Refusals: what the system says no with. A typed value; each transport translates it in one place.

`code` is for programs (contract section 2), `detail` is for people, `errors` has one entry per field or line.
"""

from __future__ import annotations

from typing import Any

STATUS_OF_CODE = {
    "invalid": 422,
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "step_up_required": 403,
    "adults_only": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "conflict": 409,
    "sold_out": 409,
    "short": 409,
    "limit_reached": 409,
    "show_not_live": 409,
    "price_changed": 409,
    "no_delivery": 409,
    "coupon_refused": 409,
    "on_hold": 409,
    "expired": 409,
    "superseded": 409,
    "in_progress": 409,
    "gone": 410,
    "too_large": 413,
    "unsupported": 415,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "internal": 500,
    "store_unavailable": 503,
}


class Refusal(Exception):
    """A command that is not carried out, and why. Nothing has changed when it is raised."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: list[dict[str, Any]] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors or []
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The HTTP status this code stands for."""
        return STATUS_OF_CODE[self.code]


def invalid(field: str, reason: str) -> Refusal:
    """The refusal of one field's value."""
    return Refusal("invalid", f"{field}: {reason}", [{"field": field, "detail": reason}])


def not_found(what: str) -> Refusal:
    """The refusal of something that is not there, or not there for this caller."""
    return Refusal("not_found", f"There is no such {what}.")
