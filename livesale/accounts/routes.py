"""Accounts over HTTP: register, sign in and out, who am I. `http/` sets the CSRF cookie beside the session's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.accounts.codes import CODE_MS, Codes
from livesale.accounts.cookies import session_cookie, session_of
from livesale.accounts.devices import device_of
from livesale.accounts.model import LONGEST_NAME, Account
from livesale.accounts.passwords import LONGEST, SHORTEST
from livesale.accounts.service import Accounts, SignedIn
from livesale.accounts.tokens import Claims
from livesale.kernel.clock import MINUTE_MS, SECOND_MS
from livesale.kernel.refusals import Refusal
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route

Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Password = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """A registration; without `born` the account counts as the youngest. Of the birth date only a band is kept."""

    email: Email
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    password: Annotated[str, msgspec.Meta(min_length=SHORTEST, max_length=LONGEST)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2")]
    born: date | None = None
    region: Annotated[str, msgspec.Meta(max_length=3, description="a state (US: AL), where majority differs by state")] = ""


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Address and password. Where no mails are sent it counts as a fresh proof (step-up)."""

    email: Email
    password: Password


class CodeWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The password, for which a code is mailed."""

    password: Password


class StepUp(msgspec.Struct, forbid_unknown_fields=True):
    """A fresh proof of who is signed in: the password, and the code mailed for it (empty: this machine sends no mails)."""

    password: Password
    code: Annotated[str, msgspec.Meta(max_length=20)] = ""


class CodeOnItsWay(msgspec.Struct):
    """A code is in the mail."""

    minutes: int = CODE_MS // MINUTE_MS


class Me(msgspec.Struct):
    """An account as its owner sees it; `age_method`: `unknown`, `declared` by its owner, or `verified`."""

    id: str
    email: str
    name: str
    country: str
    roles: list[str]
    age_band: str
    age_method: str


class SignedOut(msgspec.Struct):
    """The state after signing out."""

    signed_in: bool = False


def routes(accounts: Accounts, codes: Codes, door: Door) -> list[Route]:
    """Registering, signing in and out, stepping up; `door` gives the answer of a sign-in."""
    handlers = _Handlers(accounts, codes, door)
    return [
        Route(
            "POST",
            "/accounts",
            handlers.register,
            "Register",
            body=NewAccount,
            answer=Me,
            status=201,
            refuses=("conflict",),
            sql=True,
        ),
        Route("GET", "/me", handlers.me, "Who you are", ACCOUNT, answer=Me),
        Route("POST", "/session", handlers.sign_in, "Sign in (sets cookies)", body=SignIn, answer=Me),
        Route(
            "POST", "/session/step-up/code", handlers.ask_code, "Mail me a code to show that it is me", ACCOUNT, CodeWanted,
            CodeOnItsWay, 202, ("unauthenticated", "conflict"), atomic=True,
        ),
        Route("POST", "/session/step-up", handlers.step_up, "Show again that it is you", ACCOUNT, StepUp, Me),
        Route("DELETE", "/session", handlers.sign_out, "End this sign-in", answer=SignedOut),
    ]


class Door:
    """What every way of signing in has in common: the sign-in asked with, and the answer that sets the cookie."""

    def __init__(self, accounts: Accounts, now_ms: Callable[[], int]) -> None:
        self._accounts = accounts
        self._now_ms = now_ms

    def device(self, call: Call) -> str:
        """The browser that asks, in two words."""
        return device_of(call.headers.get("user-agent", ""))

    def claims(self, call: Call) -> Claims:
        """The browser's sign-in; refused to a token."""
        session = session_of(call.headers.get("cookie", ""))
        if call.account().via != "session" or session is None:
            raise Refusal("forbidden", "A token cannot do this: `livesale token --fresh` makes one that counts.")
        return self._accounts.authenticate(session, "session")

    async def entered(self, signed: SignedIn, call: Call) -> Answer:
        """Who is signed in now, with the cookie."""
        age_s = (signed.claims.expires - signed.claims.issued) // SECOND_MS
        account = await self._accounts.me(signed.claims.account)
        return Answer(self.view(account), headers={"Set-Cookie": session_cookie(signed.cookie, age_s, call.secure)})

    def view(self, account: Account) -> Me:
        """The account as its owner sees it."""
        band = account.band(self._now_ms())
        return Me(account.id, account.email, account.name, account.country, sorted(account.roles), band, account.age.method)


class _Handlers:
    def __init__(self, accounts: Accounts, codes: Codes, door: Door) -> None:
        self._accounts = accounts
        self._codes = codes
        self._door = door

    async def register(self, call: Call) -> Answer:
        body: NewAccount = call.body

        async def keep(db: AsyncConnection, account: Account) -> None:
            await call.keep(db, Answer(self._door.view(account), 201))

        account = await self._accounts.create_account(
            email=body.email, name=body.name, country=body.country, born=body.born, password=body.password, region=body.region,
            keep=keep
        )
        return Answer(self._door.view(account), 201)

    async def me(self, call: Call) -> Answer:
        return Answer(self._door.view(await self._accounts.me(call.account().account)))

    async def sign_in(self, call: Call) -> Answer:
        body: SignIn = call.body
        signed = await self._accounts.sign_in(body.email, body.password, None if call.local else call.peer, self._door.device(call))
        return await self._door.entered(signed, call)

    async def step_up(self, call: Call) -> Answer:
        claims = self._door.claims(call)
        body: StepUp = call.body
        signed = await self._codes.step_up(claims, body.password, body.code.strip(), None if call.local else call.peer)
        return await self._door.entered(signed, call)

    async def ask_code(self, call: Call) -> Answer:
        claims = self._door.claims(call)
        await self._codes.ask(claims, call.body.password, None if call.local else call.peer)
        return Answer(CodeOnItsWay(), 202)

    async def sign_out(self, call: Call) -> Answer:
        session = session_of(call.headers.get("cookie", ""))
        if session is not None:
            try:
                await self._accounts.sign_out(self._accounts.authenticate(session, "session"))
            except Refusal as refusal:
                if refusal.code not in ("unauthenticated", "not_found"):  # ended before: what was wanted
                    raise
        return Answer(SignedOut(), headers={"Set-Cookie": session_cookie("", 0, call.secure)})

