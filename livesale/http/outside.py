"""What is served beside the rooms' Routes, described for the OpenAPI file: WHIP, the payment provider's webhook, probes.

Law (tests/http/test_rooms.py): whatever `livesale web` serves and is no page or file is described, here or as a Route.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livesale.http.probes import Alive, Readiness
from livesale.media.whip import ICE_FRAGMENT, SDP
from livesale.payments.webhooks import SIGNATURE_HEADER, WebhookEvent

KINDS = (Alive, Readiness, WebhookEvent)

SECURITY: dict[str, Any] = {
    "whip": {"type": "http", "scheme": "bearer", "description": "A show's `whip.token`, which its host reads."},
    "probe": {"type": "http", "scheme": "bearer", "description": "The setting `probe_token`; loopback needs none."},
    "paysim": {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE_HEADER,
        "description": "`t=SECONDS,v1=HEX`: HMAC-SHA256 of `t.body` with the webhook secret.",
    },
    "stripe": {"type": "apiKey", "in": "header", "name": "Stripe-Signature", "description": "As Stripe signs."},
}

_TEXT = {"type": "string"}
_SERVERS = "STUN and TURN servers (`rel=\"ice-server\"`), when there are any."

Operation = dict[str, Any]
SchemaOf = Callable[[Any], dict[str, Any]]
Refused = Callable[..., dict[str, Any]]


def paths(schema_of: SchemaOf, refused: Refused) -> dict[str, dict[str, Operation]]:
    """The paths by method; `refused(CODE, …)` gives the responses of problems, further ones as STATUS=CODE."""
    return {
        "/api/v1/openapi.json": {"get": _description(refused)},
        "/whip/{show}": {"post": _publish(refused), "options": _options("whip_show", refused)},
        "/whip/{show}/socket": {"get": _socket(refused)},
        "/whip/{show}/{session}": {
            "patch": _trickle(refused),
            "delete": _end(refused),
            "options": _options("whip_session", refused),
        },
        "/hls/{show}/{file}": {"get": _hls(refused), "options": _hls_options("hls")},
        "/hls/{show}/{token}/{file}": {"get": _hls(refused, "token"), "options": _hls_options("hls_token")},
        "/replay/{show}/{file}": {"get": _replay(refused)},
        "/replay/{show}/{token}/{file}": {"get": _replay(refused, "token")},
        "/webhooks/paysim": {"post": _webhook("paysim", schema_of(WebhookEvent), refused)},
        "/webhooks/stripe": {"post": _webhook("stripe", {"type": "object"}, refused)},
        "/healthz": {"get": _probe("healthz", "Alive", _json("Alive.", schema_of(Alive)), refused)},
        "/readyz": {"get": _ready(schema_of, refused)},
        "/metrics": {"get": _probe("metrics", "Figures for Prometheus", _content("Figures.", "text/plain"), refused)},
    }


def _description(refused: Refused) -> Operation:
    return {
        "operationId": "openapi",
        "summary": "This file",
        "tags": ["docs"],
        "security": [{}],
        "parameters": [],
        "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"}), **refused("internal")},
    }


def _publish(refused: Refused) -> Operation:
    made = _content("On air; the SDP answer.", SDP) | {
        "headers": {
            "Location": _header("The session's address."),
            "ETag": _header("Names this ICE session."),
            "Link": _header(_SERVERS),
        }
    }
    takeover = {"name": "takeover", "in": "query", "schema": {"enum": ["1"]}, "description": "End another's session."}
    errors = refused(
        "malformed", "unauthenticated", "forbidden", "not_found", "not_acceptable", "conflict", "show_not_live",
        "too_large", "unsupported", "store_unavailable",
    )  # fmt: skip
    return _whip("publish", "Go on air (RFC 9725)", [_path("show"), takeover], {"201": made, **errors}, SDP)


def _socket(refused: Refused) -> Operation:
    done = {"101": {"description": "The socket; what it carries stands in livesale/media/uplink.py."}}
    errors = refused("malformed", "not_found", "store_unavailable")
    operation = _whip("socket", "Publish by WebSocket, encoded by the page", [_path("show")], {**done, **errors})
    return operation | {"security": [{}], "description": "The token is in the first message, in no address."}


def _trickle(refused: Refused) -> Operation:
    etag = {"name": "If-Match", "in": "header", "required": True, "schema": _TEXT, "description": "The session's ETag."}
    restarted = _content("ICE is restarted; our side of it.", ICE_FRAGMENT)
    done = {
        "200": restarted | {"headers": {"ETag": _header("The session's new tag.")}},
        "204": {"description": "Candidates taken."},
        **refused("malformed", "unauthenticated", "forbidden", "not_found", "show_not_live", "gone", "too_large",
                  "unsupported", "invalid", "superseded", "store_unavailable", **{"412": "superseded", "428": "invalid"}),
    }  # fmt: skip
    parameters = [_path("show"), _path("session"), etag]
    return _whip("trickle", "More ICE candidates, or an ICE restart (RFC 8840)", parameters, done, ICE_FRAGMENT)


def _end(refused: Refused) -> Operation:
    done = {"200": {"description": "Off air."}}
    errors = refused("unauthenticated", "forbidden", "not_found", "superseded", "show_not_live", "store_unavailable")
    return _whip("end", "Go off air", [_path("show"), _path("session")], {**done, **errors})


def _options(name: str, refused: Refused) -> Operation:
    headers = {
        "Accept-Post": _header("What POST takes."),
        "Accept-Patch": _header("What PATCH takes."),
        "Link": _header(f"With the show's token: {_SERVERS}"),
    }
    parameters = [_path("show")] if name == "whip_show" else [_path("show"), _path("session")]
    errors = refused("unauthenticated", "forbidden", "not_found", "show_not_live", "store_unavailable")
    responses = {"204": {"description": "What is taken here, for CORS too.", "headers": headers}, **errors}
    return {
        "operationId": f"options_{name}", "summary": "What this address takes", "tags": ["whip"],
        "security": [{}, {"whip": []}], "parameters": parameters, "responses": responses,
    }  # fmt: skip


def _hls(refused: Refused, *signed: str) -> Operation:
    waits = [
        {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}, "description": says}
        for name, says in (
            ("_HLS_msn", "Answer once the playlist has this segment."),
            ("_HLS_part", "And this part of it, or the first of the next."),
        )
    ]
    kinds = ("application/vnd.apple.mpegurl", "video/mp4")
    found = {"description": "The playlist or media.", "content": {kind: {"schema": _TEXT} for kind in kinds}}
    return {
        "operationId": "_".join(("hls", *signed)),
        "summary": "A show as low-latency HLS: `index.m3u8`, and what its playlists name",
        "description": "A part that a playlist only hints at is answered when it is there. `token` where `hls.secret` is set.",
        "tags": ["hls"],
        "security": [{}],
        "parameters": [_path("show"), *(_path(name) for name in signed), _path("file"), *waits],
        "responses": {"200": found, **refused("malformed", "forbidden", "not_found", "internal", "store_unavailable")},
    }


def _hls_options(name: str) -> Operation:
    parameters = [_path("show"), *([_path("token")] if name == "hls_token" else []), _path("file")]
    return {
        "operationId": f"options_{name}", "summary": "For players on other pages (CORS)", "tags": ["hls"],
        "security": [{}], "parameters": parameters, "responses": {"204": {"description": "Anyone may read."}},
    }  # fmt: skip


def _replay(refused: Refused, *signed: str) -> Operation:
    asked = {"name": "Range", "in": "header", "schema": _TEXT, "description": "As players ask for the piece they play."}
    kinds = ("video/mp4", "application/vnd.apple.mpegurl", "image/jpeg", "text/vtt")
    content = {kind: {"schema": _TEXT} for kind in kinds}
    return {
        "operationId": "_".join(("replay", *signed)),
        "summary": "A file of a replay, as `GET /shows/{show}/replay` names it",
        "tags": ["hls"],
        "security": [{}],
        "parameters": [_path("show"), *(_path(name) for name in signed), _path("file"), asked],
        "responses": {
            "200": {"description": "The file.", "content": content},
            "206": {"description": "The range.", "content": content},
            "416": {"description": "There is no such range."},
            **refused("forbidden", "not_found", "internal"),
        },
    }


def _webhook(provider: str, event: dict[str, Any], refused: Refused) -> Operation:
    return {
        "operationId": f"webhook_{provider}",
        "summary": "The payment provider tells of a payment; a repetition is harmless",
        "description": "Served where `payments.provider` says so: `sandbox` is paysim.",
        "tags": ["webhooks"],
        "security": [{provider: []}],
        "parameters": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": event}}},
        "responses": {
            "204": {"description": "Noted."},
            **refused("malformed", "unauthenticated", "too_large", "store_unavailable"),
        },
    }


def _ready(schema_of: SchemaOf, refused: Refused) -> Operation:
    found = schema_of(Readiness)
    probe = _probe("readyz", "Ready to serve", _json("Ready.", found), refused)
    return probe | {"responses": {**probe["responses"], "503": _json("Not ready: `checks` says what is not.", found)}}


def _probe(name: str, summary: str, found: dict[str, Any], refused: Refused) -> Operation:
    return {
        "operationId": name,
        "summary": summary,
        "description": "For this machine, or with the probe token; to anyone else it is not there.",
        "tags": ["probes"],
        "security": [{}, {"probe": []}],
        "parameters": [],
        "responses": {"200": found, **refused("not_found")},
    }


def _whip(
    name: str, summary: str, parameters: list[dict[str, Any]], responses: dict[str, Any], body: str | None = None
) -> Operation:
    operation = {
        "operationId": f"whip_{name}",
        "summary": summary,
        "tags": ["whip"],
        "security": [{"whip": []}],
        "parameters": parameters,
        "responses": responses,
    }
    return operation | ({"requestBody": {"required": True, "content": {body: {"schema": _TEXT}}}} if body else {})


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _header(says: str) -> dict[str, Any]:
    return {"description": says, "schema": _TEXT}


def _content(says: str, kind: str) -> dict[str, Any]:
    return {"description": says, "content": {kind: {"schema": _TEXT}}}


def _json(says: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": says, "content": {"application/json": {"schema": schema}}}
