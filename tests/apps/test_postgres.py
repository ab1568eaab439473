"""The whole system with PostgreSQL in place of SQLite."""

from __future__ import annotations

from pathlib import Path

from tests.contract.test_orders import order_state
from tests.support.postgres import PostgresProcess
from tests.support.system import build_pages, start, stop


def test_a_sale_on_postgresql(postgres: PostgresProcess, tmp_path: Path) -> None:
    """The demo comes up on it, an adult buys, the show verifies, and no SQLite file is made."""
    build_pages()
    url = postgres.fresh().replace("+asyncpg", "")
    system = start(tmp_path / "data", {"LIVESALE_DATABASE_URL": url})
    try:
        show = system.demo_show()
        held = system.api("adult").hold(show["id"], show["offers"][0]["id"])
        assert held.status == 201
        assert system.api("adult").check_out(held.body).status == 200
        order_state(system, "adult", held["id"], "paid")
        verified = system.cli("show", "verify", show["id"])
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert not (system.data / "livesale.db").exists()
    finally:
        stop(system)
