"""Marks: a shelf rests only when none of its marks is waited for, so every index that is looked at is known."""

from __future__ import annotations

import re
from pathlib import Path

import livesale
from livesale.store.active import LOOKED_AT

SOURCES = Path(livesale.__file__).parent


def test_every_index_that_is_looked_at_keeps_a_shelf_awake() -> None:
    """An index asked for by `Store.due` anywhere is one that `active.sleep` looks at; and none for nothing."""
    asked = {
        name
        for path in SOURCES.rglob("*.py")
        for name in re.findall(r"""\.due\([^,()]+, "([a-z_]+)\"""", path.read_text("utf-8"))
    }
    assert asked == set(LOOKED_AT)
