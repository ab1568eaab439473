"""No failure is swallowed, and no reader takes SQLite's write lock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "livesale"
BROAD = {"Exception", "BaseException"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def swallowed(tree: ast.AST) -> list[int]:
    """Lines where any failure at all would vanish without a word."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            if all(isinstance(line, ast.Pass | ast.Continue) for line in node.body):
                lines.append(node.lineno)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "suppress":
            lines += [node.lineno for kind in node.args if _is_broad(kind)]
    return lines


def _is_broad(kind: ast.expr | None) -> bool:
    return kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_failure_is_swallowed(path: Path) -> None:
    """`except Exception: pass` hides what nobody thought of."""
    assert swallowed(ast.parse(path.read_text("utf-8"))) == []


def test_the_law_bites() -> None:
    """It finds what it is there to find, and leaves named failures alone."""
    bad = "try:\n    x()\nexcept Exception:\n    pass\nwith contextlib.suppress(Exception):\n    x()\n"
    good = "try:\n    x()\nexcept ValueError:\n    pass\nexcept Exception:\n    log.exception('x')\n"
    assert swallowed(ast.parse(bad)) == [3, 5]
    assert swallowed(ast.parse(good)) == []


def test_rooms_read_sql_through_reading() -> None:
    """A bare `engine.connect()` begins IMMEDIATE on SQLite: one such read in the checkout stopped the ledger."""
    faulty = []
    for path in modules():
        if path.parent.name in ("apps", "bench", "media") or path.name == "database.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "connect":
                owner = ast.unparse(node.func)
                if "engine" in owner or "database" in owner:
                    faulty.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert faulty == []
