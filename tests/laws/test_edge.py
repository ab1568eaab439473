"""An edge knows no store: what its process loads cannot open one."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import livesale.cli, livesale.apps.process, livesale.apps.edge
print("\\n".join(sorted(sys.modules)))
"""
STORES = ("livesale.store", "redis", "sqlalchemy", "aiosqlite", "asyncpg")


def test_the_edge_process_loads_no_store() -> None:
    """Neither Valkey's client nor SQL's, nor our room for them, is among the modules of `livesale edge`."""
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert "livesale.hub.edge" in loaded
    assert [name for name in loaded if name.startswith(STORES)] == []
