"""What happened is said in declared words: every event type once, every wire type as the contract has it."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from pathlib import Path

import pytest

from livesale.kernel.events import LATEST, MUST, EventKind

PACKAGE = Path(__file__).parents[2] / "livesale"
# Contract, section 3. `welcome`, `resync`, `viewers`, `reaction` and `stock` are no facts of a log: the hub makes them.
WIRE = {
    "welcome", "resync", "show", "rundown", "offer", "stock", "pins", "deal", "chat", "chat_removed", "reaction",
    "viewers", "order", "notice",
}  # fmt: skip


def tables() -> dict[str, dict[str, EventKind]]:
    """KINDS of every room that has events."""
    rooms = [path.parent.name for path in sorted(PACKAGE.glob("*/events.py")) if path.parent.name != "kernel"]
    return {room: importlib.import_module(f"livesale.{room}.events").KINDS for room in rooms}


def test_every_type_is_declared_once() -> None:
    """No two rooms tell different things by one name."""
    told = Counter(name for kinds in tables().values() for name in kinds)
    assert [name for name, times in told.items() if times > 1] == []
    assert all(name == kind.type for kinds in tables().values() for name, kind in kinds.items())


def test_kinds_are_whole() -> None:
    """An internal event has no name outside, every other one has a name of the contract's list; no fact may be lost."""
    for kinds in tables().values():
        for kind in kinds.values():
            assert kind.loss in (MUST, LATEST)
            assert kind.to in ("public", "owner", "internal")
            assert (kind.wire is None) == (kind.to == "internal"), kind
            assert kind.wire is None or kind.wire in WIRE, kind


@pytest.mark.parametrize("room", sorted(tables()))
def test_every_constant_is_in_its_table(room: str) -> None:
    """A type that a room names is declared with its kind."""
    module = importlib.import_module(f"livesale.{room}.events")
    named = {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    assert named - {MUST, LATEST} == set(module.KINDS)


def written_types(path: Path) -> set[str]:
    """Literal `"type": "…"` in the maps that `path` builds."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "type" and isinstance(value, ast.Constant):
                    found.add(value.value)
    return found


@pytest.mark.parametrize("room", ["shows", "orders", "payments", "guardians"])
def test_facts_are_written_by_their_constants(room: str) -> None:
    """A room's code spells no event type by hand: a misspelt fact would be one nobody hears."""
    assert [path.name for path in (PACKAGE / room).glob("*.py") if written_types(path)] == []
