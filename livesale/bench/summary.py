"""What a measurement says at its end: one line of JSON for programs, a line a figure for people."""

from __future__ import annotations

import json
from typing import Any

import click


def tell(summary: dict[str, Any], *, as_json: bool) -> None:
    """Prints it."""
    if as_json:
        click.echo(json.dumps(summary))
    else:
        for name, value in summary.items():
            click.echo(f"{name:24} {value}")
