"""People: what this room needs of accounts and families, as a port; `apps/` gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an account's mails go, its name and its country."""

    email: str
    name: str
    country: str


class People(Protocol):
    """Asked when a mail is sent, never before: what it says is not kept. Refusal not_found for who is gone."""

    async def contact(self, account: str) -> Contact: ...

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def guardians_of(self, minor: str) -> list[str]: ...

    async def seller(self, shop: str) -> str: ...
