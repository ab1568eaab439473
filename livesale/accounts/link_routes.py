"""Sign-in links over HTTP: ask for one by mail, and use it by a POST."""

from __future__ import annotations

from typing import Annotated

import msgspec

from livesale.accounts.links import Links
from livesale.accounts.routes import Door, Email, Me
from livesale.kernel.routing import Answer, Call, Route


class LinkWanted(msgspec.Struct, forbid_unknown_fields=True):
    """Where to mail it."""

    email: Email


class LinkUsed(msgspec.Struct, forbid_unknown_fields=True):
    """What stands behind `#link=` in the mailed address."""

    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class LinkOnItsWay(msgspec.Struct):
    """Said whether or not there is such an account."""

    minutes: int = 15


def routes(links: Links, door: Door) -> list[Route]:
    """Both routes; `door` gives the answer of a sign-in."""
    handlers = _Handlers(links, door)
    return [
        Route(
            "POST", "/session/link", handlers.ask, "Mail me a link to sign in with", body=LinkWanted,
            answer=LinkOnItsWay, status=202, refuses=("conflict",),
        ),
        Route(
            "POST", "/session/link/enter", handlers.enter, "Sign in with a mailed link (sets cookies)", body=LinkUsed,
            answer=Me, refuses=("expired",),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, links: Links, door: Door) -> None:
        self._links = links
        self._door = door

    async def ask(self, call: Call) -> Answer:
        self._links.ask(call.body.email, None if call.local else call.peer)
        return Answer(LinkOnItsWay(), 202)

    async def enter(self, call: Call) -> Answer:
        signed = await self._links.enter(call.body.secret, self._door.device(call))
        return await self._door.entered(signed, call)
