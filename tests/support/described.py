"""The API's description as a judge: whether an answer is what openapi.json says the call may be answered with."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

# Refused before any operation is found: no such address, no such method there, no request at all.
OF_HTTP = {(404, "not_found"), (405, "method_not_allowed"), (400, "malformed"), (417, "malformed")}


class Described:
    """One openapi.json. What its objects do not name they may not have: a field sent must be a field described."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = _closed(deepcopy(document))
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource("urn:api", resource)
        self._paths = [(_pattern(path), path) for path in sorted(self._document["paths"], key=lambda one: "{" in one)]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The description of a call, None when there is none: the method or address is not served."""
        plain = path.partition("?")[0]
        for pattern, name in self._paths:
            if pattern.fullmatch(plain) and method.lower() in self._document["paths"][name]:
                return dict(self._document["paths"][name][method.lower()])
        return None

    def faults(self, method: str, path: str, status: int, kind: str, body: Any) -> list[str]:
        """What is wrong with an answer to `method` on `path`; `body` is decoded JSON where `kind` is JSON."""
        if (status, isinstance(body, dict) and body.get("code")) in OF_HTTP:
            return []
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} is not described, answered {status}"]
        response = operation["responses"].get(str(status))
        if response is None:
            return [f"{method} {path}: status {status} is not described ({body})"]
        contents = response.get("content", {})
        plain = kind.partition(";")[0]
        if not contents:
            return [] if not body else [f"{method} {path}: {status} has a body that is not described"]
        if plain not in contents:
            return [f"{method} {path}: {status} is {plain}, described as {list(contents)}"]
        found = [] if "json" not in plain else self._mistakes(contents[plain]["schema"], body)
        if "x-codes" in response and body["code"] not in response["x-codes"]:
            found.append(f"{body['code']!r} is not one of {response['x-codes']}")
        return [f"{method} {path}: {status}: {fault}" for fault in found]

    def _mistakes(self, schema: dict[str, Any], body: Any) -> list[str]:
        validator = Draft202012Validator(_absolute(schema), registry=self._registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path)))


def _closed(node: Any) -> Any:
    """The same, with no room for properties nobody named."""
    if isinstance(node, dict):
        for value in node.values():
            _closed(value)
        if node.get("type") == "object" and "properties" in node:
            node.setdefault("additionalProperties", False)
    elif isinstance(node, list):
        for value in node:
            _closed(value)
    return node


def _absolute(node: Any) -> Any:
    """The same, with references into the whole document."""
    if isinstance(node, dict):
        return {key: f"urn:api{value}" if key == "$ref" else _absolute(value) for key, value in node.items()}
    return [_absolute(value) for value in node] if isinstance(node, list) else node
