"""The pages of dev mails, described for the OpenAPI file: they stand beside the API's Routes."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TO = {"name": "to", "in": "query", "schema": _TEXT}
_MAIL = {"name": "mail", "in": "path", "required": True, "schema": _TEXT}


def paths(refusals: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The paths by method; `refusals` are the responses of whoever is not this machine, or finds no such mail."""
    return {
        "/dev/mail": _page("dev_mail_page", "Dev mails to read, newest first", "text/html", [_TO], refusals),
        "/dev/mail.css": _page("dev_mail_style", "The page's style", "text/css", [], refusals),
        "/dev/mail/{mail}": _page("dev_mail_html", "A dev mail's HTML, for a frame", "text/html", [_MAIL], refusals),
    }


def _page(
    name: str, says: str, kind: str, parameters: list[dict[str, Any]], refusals: dict[str, Any]
) -> dict[str, Any]:
    operation = {
        "operationId": name,
        "summary": says,
        "description": "For this machine, with `dev_mail`; otherwise it is not there.",
        "tags": ["dev"],
        "security": [{}],
        "parameters": parameters,
        "responses": {"200": {"description": "Found.", "content": {kind: {"schema": _TEXT}}}, **refusals},
    }
    return {"get": operation}
