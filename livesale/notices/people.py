"""People: what this room needs of accounts and families, as a port; `apps/` gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from livesale.accounts.pushes import Subscription


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an account's mails go, its name and its country."""

    email: str
    name: str
    country: str


class People(Protocol):
    """Asked when a mail is sent, never before: what it says is not kept. Refusal not_found for who is gone.

    A minor's guardians are those who are now and, with `since_ms`, those who have ceased to be since then.
    """

    async def contact(self, account: str) -> Contact: ...

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes: ...

    async def guardians_of(self, minor: str, since_ms: int | None = None) -> list[str]: ...

    async def browsers_of(self, account: str) -> list[str]: ...  # those to be told in, by subscription

    async def browser(self, account: str, device: str) -> Subscription | None: ...

    async def browser_gone(self, device: str) -> None: ...

    async def seller(self, shop: str) -> str: ...
