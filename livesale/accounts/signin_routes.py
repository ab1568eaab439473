"""Sign-ins over HTTP: an account's owner lists and ends them, and makes tokens for programs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from livesale.accounts.cookies import session_cookie
from livesale.accounts.model import LONGEST_NAME
from livesale.accounts.signins import SignIn, SignIns
from livesale.kernel.clock import rfc3339
from livesale.kernel.ids import name_from
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """A token for a program: what its owner calls it, the actions it may do (none: reading only), how long it lasts."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    scopes: Annotated[list[Annotated[str, msgspec.Meta(max_length=60)]], msgspec.Meta(max_length=60)] = []
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 90


class SessionView(msgspec.Struct):
    """A sign-in; `device` is its browser in two words, `current` marks the one that asks."""

    id: str
    kind: str
    device: str
    created_at: str
    expires_at: str
    current: bool


class SessionPage(msgspec.Struct):
    """Your sign-ins, newest first; `signed_in`: whether the one that asks is still among them."""

    items: list[SessionView]
    signed_in: bool
    next: str | None = None


class TokenView(msgspec.Struct):
    """A token without its secret; no `scopes`: whatever the account may do."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    expires_at: str


class TokenMade(TokenView):
    """A new token, the only time its secret is told."""

    token: str


class TokenPage(msgspec.Struct):
    """Your tokens, newest first. `DELETE /sessions/{id}` ends one."""

    items: list[TokenView]
    next: str | None = None


def routes(sign_ins: SignIns) -> list[Route]:
    """Every route about sign-ins."""
    handlers = _Handlers(sign_ins)
    return [
        Route("GET", "/sessions", handlers.list, "Where you are signed in", ACCOUNT, answer=SessionPage),
        Route("DELETE", "/sessions", handlers.end_all, "Sign out everywhere", ACCOUNT, answer=SessionPage),
        Route("DELETE", "/sessions/{id}", handlers.end, "End a sign-in or token", ACCOUNT, answer=SessionPage),
        Route("GET", "/tokens", handlers.tokens, "Your tokens", ACCOUNT, answer=TokenPage),
        Route(
            "POST", "/tokens", handlers.make_token, "Make a token for a program", ACCOUNT, NewToken, TokenMade, 201,
            ("step_up_required", "limit_reached", "conflict", "gone"), atomic=True,
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins

    async def list(self, call: Call) -> Answer:
        return Answer(await self._page(call))

    async def end(self, call: Call) -> Answer:
        await self._sign_ins.end(call.account().account, call.path["id"])
        page = await self._page(call)
        return Answer(page, headers={} if page.signed_in else _ended(call))

    async def end_all(self, call: Call) -> Answer:
        actor = call.account()
        if actor.via != "session":  # a leaked token must not lock its owner out
            raise Refusal("forbidden", "Sign in to sign out everywhere: a token cannot.")
        await self._sign_ins.end_all(actor.account, actor.account)
        return Answer(await self._page(call), headers=_ended(call))

    async def tokens(self, call: Call) -> Answer:
        found = await self._sign_ins.of(call.account().account)
        return Answer(TokenPage([TokenView(*_told(one)) for one in found if one.kind == "token"]))

    async def make_token(self, call: Call) -> Answer:
        body: NewToken = call.body
        actor = call.account()
        act = name_from(f"{actor.account} token {call.key}") if call.key else ""
        made, secret = await self._sign_ins.make_token(actor, body.name, body.scopes, body.days, act)
        return Answer(TokenMade(*_told(made), token=secret), 201)

    async def _page(self, call: Call) -> SessionPage:
        actor = call.account()
        views = [
            SessionView(
                one.sid, one.kind, one.device, rfc3339(one.created_ms), rfc3339(one.expires_ms), one.sid == actor.sid
            )
            for one in await self._sign_ins.of(actor.account)
        ]
        return SessionPage(views, any(view.current for view in views))


def _told(one: SignIn) -> tuple[str, str, list[str], str, str]:
    return one.sid, one.name, list(one.scopes), rfc3339(one.created_ms), rfc3339(one.expires_ms)


def _ended(call: Call) -> dict[str, str]:
    return {"Set-Cookie": session_cookie("", 0, call.secure)}
