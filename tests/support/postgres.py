"""A real PostgreSQL for tests: one server a session on a folder and a Unix socket of its own, emptied for each test."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from livesale.store import database
from tests.support.system import until

TEMPLATE = "livesale_template"
SHAPE = """SELECT relname::text, attname::text, atttypid FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
  WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  UNION SELECT 'alembic_version', version_num, 0 FROM alembic_version ORDER BY 1, 2"""
EMPTY = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$ DECLARE one regclass; BEGIN
  FOR one IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %s', one); END LOOP;
  FOR one IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
  LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', one); END LOOP;
END $$"""


def binaries() -> Path:
    """Where PostgreSQL's programs are: the newest of Debian's, else those on PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    assert found, "PostgreSQL is missing. On Debian: apt-get install postgresql"
    return Path(found).parent


class PostgresProcess:
    """The server. It refuses to run as root, so root starts it as Debian's `postgres`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="livesale-pg-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        self._databases = 0
        self._kept = ""
        if self._user:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "livesale", "-A", "trust", "--no-sync")
        options = ("-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60")
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.folder / "data", *options],
                stdout=log, stderr=log, user=self._user, cwd=self.folder,
            )  # fmt: skip
        until(lambda: asyncio.run(self._answers()), "PostgreSQL to answer")
        asyncio.run(self._create("postgres", TEMPLATE, "template0"))
        database.migrate(self.url(TEMPLATE))
        self._shape = asyncio.run(self._read(TEMPLATE))

    def url(self, name: str) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+asyncpg://livesale@/{name}?host={self.folder}"

    def fresh(self) -> str:
        """The address of a new database at the newest revision."""
        return self.url(self._made())

    def emptied(self) -> str:
        """The address of one and the same database without a row, as long as no test has changed its tables: to make one takes
        0.15 s of CPU and 12 MB on the disk."""
        if not self._kept or asyncio.run(self._read(self._kept, EMPTY)) != self._shape:
            self._kept = self._made()
        return self.url(self._kept)

    def stop(self) -> None:
        """End it, whatever is connected."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _made(self) -> str:
        self._databases += 1
        name = f"test_{self._databases}"
        asyncio.run(self._create("postgres", name, TEMPLATE))
        return name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries() / program, *arguments], check=True, capture_output=True, user=self._user, cwd=self.folder
        )

    async def _connect(self, name: str) -> Any:
        return await asyncpg.connect(host=str(self.folder), user="livesale", database=name)

    async def _answers(self) -> bool:
        """Its socket is there before anybody listens on it, and listens before the server is up."""
        try:
            await (await self._connect("postgres")).close()
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        return True

    async def _read(self, name: str, then: str = "SELECT 1") -> list[tuple[Any, ...]]:
        """The tables, indexes and revision of a database; `then` something is done there."""
        connection = await self._connect(name)
        try:
            shape = [tuple(row) for row in await connection.fetch(SHAPE)]
            await connection.execute(then)
            return shape
        finally:
            await connection.close()

    async def _create(self, through: str, name: str, template: str) -> None:
        connection = await self._connect(through)
        busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"
        try:
            while await connection.fetchval(busy, template):  # whoever made the template is still leaving it
                await asyncio.sleep(0.01)
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
