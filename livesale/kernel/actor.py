"""Who is doing something: the account behind a request, what it may do, and how freshly it proved itself."""

from __future__ import annotations

import msgspec

ROLES = ("viewer", "host", "operator", "guardian", "advertiser")


class Actor(msgspec.Struct, frozen=True):
    """The caller of a command.

    `account` is the account id, `country` an ISO 3166-1 code, `stepped_up_ms` when the caller last proved who they
    are afresh (0: never), `via` is `session`, `token` or `system`, `sid` the sign-in; `scopes` are the only actions its token
    may do (None: all of its roles').
    """

    account: str
    roles: frozenset[str]
    country: str = "DE"
    stepped_up_ms: int = 0
    via: str = "token"
    sid: str = ""
    scopes: frozenset[str] | None = None

    def has(self, *roles: str) -> bool:
        """Whether the account has one of `roles`."""
        return not self.roles.isdisjoint(roles)


SYSTEM = Actor("system", frozenset({"operator"}), via="system")
