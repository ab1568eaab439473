"""Alembic's entry: runs the revisions on the connection that `livesale.store.database.migrate` hands in."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Bring the connected database to the wanted revision; SQLite's tables are changed in batch mode."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


run()
