"""Resolving: names as the system resolves them, without those that lead into our own network."""

from __future__ import annotations

import errno
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from livesale.kernel.outside import leads_outside


class OutsideResolver(AbstractResolver):
    """For a client session that goes where strangers say. `private`: addresses of our own network are allowed, too."""

    def __init__(self, *, private: bool) -> None:
        self._names = ThreadedResolver()
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`; OSError when all of them are ours."""
        found = await self._names.resolve(host, port, family)
        allowed = [one for one in found if self._private or leads_outside(one["host"])]
        if not allowed:
            raise OSError(errno.EACCES, f"{host} is inside our own network")
        return allowed

    async def close(self) -> None:
        """Nothing is kept."""
        await self._names.close()
