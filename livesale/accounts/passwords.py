"""Passwords: argon2id, computed beside the event loop, as slow for an unknown account as for a known one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from livesale.kernel.refusals import invalid

SHORTEST, LONGEST = 8, 256  # characters; NIST SP 800-63B section 3.1.1
THREADS = 2  # each computation takes 64 MiB


class Passwords:
    """Hashes and checks passwords in threads of its own."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")

    async def hash(self, password: str) -> str:
        """The argon2id hash to keep; refused when the password is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise invalid("password", f"has {SHORTEST} to {LONGEST} characters")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def check(self, kept: str, password: str) -> bool:
        """Whether `password` is the one kept; takes as long when nothing is kept (an empty `kept`)."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._check, kept, password)

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _check(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept or self._nobodys, password[: LONGEST + 1]) and bool(kept)
        except (Argon2Error, InvalidHashError):
            return False

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("the password of no account")
