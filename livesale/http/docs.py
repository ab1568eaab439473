"""The readable page at /api/docs, rendered from the OpenAPI document: no script, one style sheet of our own."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from livesale.kernel.refusals import STATUS_OF_CODE

STYLE = """
:root { color-scheme: light dark; --paper: #faf7f2; --ink: #1c1917; --line: #d6d0c7; --calm: #0f5e5a; }
@media (prefers-color-scheme: dark) { :root { --paper: #1a1816; --ink: #f3efe9; --line: #45403a; --calm: #6fc7c1; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1.5rem; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
h3 { font-size: 1rem; margin: .75rem 0 .25rem; overflow-wrap: anywhere; }
.method { color: var(--calm); display: inline-block; font-weight: 700; min-width: 4.5rem; }
pre { border: 1px solid var(--line); border-radius: 12px; font-size: 14px; overflow-x: auto; padding: .75rem; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--line); padding: .25rem 1rem .25rem 0;
  text-align: left; vertical-align: top; }
a { color: var(--calm); }
"""


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    sections = "".join(_path(path, operations) for path, operations in document["paths"].items())
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    codes = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td></tr>' for code, status in STATUS_OF_CODE.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>livesale API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/api/docs.css"></head><body><main>'
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{_ticks(info['description'])}</p>"
        '<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a>.</p>'
        f"<h2>Calls</h2>{sections}<h2>Types</h2>{schemas}"
        f"<h2>Codes of problems</h2><table><tr><th>code</th><th>status</th></tr>{codes}</table></main></body></html>"
    )


def _path(path: str, operations: dict[str, Any]) -> str:
    return "".join(_operation(path, method, operation) for method, operation in operations.items())


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    who = operation.get("description", "For anyone.")
    rows = "".join(_parameter(parameter) for parameter in operation["parameters"])
    body = _content(operation.get("requestBody", {}), "Body")
    answers = "".join(_answer(status, answer) for status, answer in operation["responses"].items())
    return (
        f'<section id="{escape(operation["operationId"])}"><h3><span class="method">{method.upper()}</span> '
        f"{escape(path)}</h3><p>{escape(operation['summary'])}. {escape(who)}</p>"
        f"{f'<table>{rows}</table>' if rows else ''}{body}{answers}</section>"
    )


def _answer(status: str, answer: dict[str, Any]) -> str:
    if "x-codes" in answer:
        return f"<p>Refused {status}: {_ticks(answer['description'])}</p>"
    return _content(answer, f"Answer {status}")


def _parameter(parameter: dict[str, Any]) -> str:
    need = "required" if parameter.get("required") else "optional"
    return f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td><td>{need}</td></tr>"


def _content(holder: dict[str, Any], title: str) -> str:
    parts = []
    for kind, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            parts.append(f'<p>{title}: <a href="#type-{escape(name)}">{escape(name)}</a></p>')
        else:
            parts.append(f"<p>{title}: <code>{escape(schema.get('type', kind))}</code></p>")
    return "".join(parts)


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return f'<section id="type-{escape(name)}"><h3>{escape(name)}</h3><pre>{text}</pre></section>'


def _ticks(text: str) -> str:
    """`code` in the description as HTML."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
