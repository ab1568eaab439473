"""The OpenAPI 3.1 file, made from the same Routes that are served: nothing is served undocumented."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from livesale import __version__
from livesale.accounts.cookies import SESSION_COOKIE
from livesale.http import dev_pages, outside
from livesale.http.bodies import is_optional
from livesale.http.idempotency import HEADER
from livesale.http.paths import MOST_ITEMS
from livesale.http.problems import Problem
from livesale.http.replies import JSON, PROBLEM
from livesale.http.sessions import CSRF_COOKIE, CSRF_HEADER, READING
from livesale.kernel.refusals import STATUS_OF_CODE
from livesale.kernel.routing import Route

BASE = "/api/v1"

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")
_ANY: dict[str, Any] = {"type": "object"}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole file as plain data: the routes, and what outside.py describes."""
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(BASE + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "livesale", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {**paths, **outside.paths(schemas.of, schemas.refused), **dev_pages.paths(schemas.refused("not_found"))},
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
    }


_DESCRIPTION = (
    f"Sign in with a bearer token, or with the browser's session cookie: then every write repeats the cookie "
    f"`{CSRF_COOKIE}` in the header `{CSRF_HEADER}`. Times are RFC 3339 UTC, money is in minor units. "
    f"A call repeated with the same `{HEADER}` gives the first answer again for 24 hours. "
    f"Errors are problems (RFC 9457) with one of these codes: {', '.join(f'`{code}`' for code in STATUS_OF_CODE)}."
)

_SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API token, made with `livesale token EMAIL`."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "Set by `POST /session`."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": f"The value of the cookie `{CSRF_COOKIE}`; needed by writes with the session cookie.",
    },
    **outside.SECURITY,
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


class _Schemas:
    """The schema of each type, and the named components they refer to."""

    def __init__(self, routes: Sequence[Route]) -> None:
        kinds = [kind for route in routes for kind in (route.body, route.answer) if kind not in (None, bytes)]
        unique = list({id(kind): kind for kind in [Problem, *outside.KINDS, *kinds]}.values())
        found, self.components = msgspec.json.schema_components(unique, ref_template=_REF)
        self._of = {id(kind): schema for kind, schema in zip(unique, found, strict=True)}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type."""
        return self._of[id(kind)]

    def refused(self, *codes: str, **further: str) -> dict[str, Any]:
        """The responses of problems by status: of these codes, and of STATUS=CODE pairs out of the common order."""
        at: dict[str, set[str]] = {}
        for status, code in [*((str(STATUS_OF_CODE[code]), code) for code in codes), *further.items()]:
            at.setdefault(status, set()).add(code)
        return {status: self._problem(status, sorted(at[status])) for status in sorted(at)}

    def _problem(self, status: str, codes: list[str]) -> dict[str, Any]:
        named = ", ".join(f"`{code}`" for code in codes)
        told = {"description": f"{named}.", "content": {PROBLEM: {"schema": self.of(Problem)}}, "x-codes": codes}
        return told | ({"headers": _RETRY} if status in ("429", "503") else {})


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    writes = route.method not in READING
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "parameters": _parameters(route),
        "security": _security(route, writes),
        "responses": {str(route.status): _success(route, schemas), **schemas.refused(*_codes(route))},
    }
    if route.who:
        operation["description"] = f"For the roles {', '.join(sorted(route.who))}."
    if route.body is bytes:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif route.body is not None:
        content = {JSON: {"schema": schemas.of(route.body)}}
        operation["requestBody"] = {"required": not is_optional(route.body), "content": content}
    return operation


def _codes(route: Route) -> set[str]:
    """What a call may be refused with: by its room, and by what `http/` checks before (endpoint.py)."""
    codes = {"malformed", "unauthenticated", "rate_limited", "internal", "store_unavailable", *route.refuses}
    writes = route.method not in READING
    if writes:
        codes |= {"forbidden", "too_large", "in_progress", "idempotency_key_reused", "invalid"}
    if route.who:
        codes.add("forbidden")
    if route.query:
        codes.add("invalid")
    if "{" in route.path or (writes and route.body is not None):
        codes.add("not_found")
    return codes


def _operation_id(route: Route) -> str:
    return re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").rstrip("_")


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in _PARAMETER.findall(route.path)
    ]
    for name in route.query:
        number = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS}
        found.append({"name": name, "in": "query", "schema": number if name == "limit" else text})
    if route.method not in READING:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        found.append({"name": HEADER, "in": "header", "required": route.key_required, "schema": key})
    return found


def _security(route: Route, writes: bool) -> list[dict[str, list[str]]]:
    cookie: dict[str, list[str]] = {"session": [], "csrf": []} if writes else {"session": []}
    known: list[dict[str, list[str]]] = [{"bearer": []}, cookie]
    return known if route.who else [{}, *known]


def _success(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "Done."}
    schema = _ANY if route.answer in (None, bytes) else schemas.of(route.answer)
    return {"description": "Done." if route.method not in READING else "Found.", "content": {JSON: {"schema": schema}}}
