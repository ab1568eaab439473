"""People: what other rooms know of accounts and families, and the check of every request's caller."""

from __future__ import annotations

import asyncio

from livesale.accounts.model import Account, Band, Place
from livesale.accounts.service import Accounts
from livesale.accounts.signins import check_fresh
from livesale.guardians.service import Guardians
from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal, not_found
from livesale.kernel.sealing import seal, unseal
from livesale.store.valkey import Store

REMEMBER_MS = 1_500  # an account's band and key; well under the two seconds that reads may be old
MOST_REMEMBERED = 20_000
_Known = tuple[int, Account, bytes]  # when it was read (ms), the account, its sealing key


class People:
    """The port of `orders/service.py`, over accounts and guardians."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._known: dict[str, _Known] = {}
        self._wanted: dict[str, asyncio.Future[_Known | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.guardians: Guardians | None = None

    async def age_band(self, account: str) -> Band:
        """The account's band now."""
        known, _ = await self._find(account)
        return known.band(self._store.now_ms())

    async def place_of(self, account: str) -> Place:
        """What the law says about age where the account lives."""
        return (await self._find(account))[0].place

    async def age_of(self, account: str) -> tuple[bool, bool]:
        """Whether it is an adult's now, and whether by more than its own word."""
        known, _ = await self._find(account)
        return known.band(self._store.now_ms()) == "adult", known.age.method != "declared"

    async def account(self, account: str) -> Account:
        """The account; Refusal not_found once erased."""
        return (await self._find(account))[0]

    async def name_of(self, account: str) -> str:
        """The name of an account; empty once erased."""
        try:
            return (await self._find(account))[0].name
        except Refusal:
            return ""

    async def seal(self, account: str, text: bytes, context: str) -> bytes:
        """Personal text under the account's own key."""
        return seal((await self._find(account))[1], text, context)

    async def unseal(self, account: str, sealed: bytes, context: str) -> bytes:
        """The text again; SealBroken once the key is erased."""
        return unseal((await self._find(account))[1], sealed, context)

    def forget(self, account: str) -> None:
        """What was known of the account has just been changed by this very process."""
        self._known.pop(account, None)

    async def country_of(self, account: str) -> str:
        """Where the account lives."""
        return (await self._find(account))[0].country

    async def is_ward(self, account: str) -> bool:
        """Whether the account has a guardian now."""
        assert self.guardians is not None
        return any(link.minor == account for link in await self.guardians.links_of(account))

    async def check_may_ask(self, minor: str) -> None:
        """Refused when nobody could be asked, or a guardian has stopped all buying."""
        assert self.guardians is not None
        await self.guardians.check_may_ask(minor)

    async def check_guards(self, actor: Actor, minor: str) -> None:
        """Refused unless the caller is an active guardian of the minor, an adult by more than their own word, freshly proven."""
        links = await self.guardians.links_of(actor.account) if self.guardians is not None else []
        link = next((one for one in links if (one.guardian, one.minor) == (actor.account, minor)), None)
        if link is None:
            raise not_found("ward of yours")
        adult, verified = await self.age_of(actor.account)
        if not adult or not (verified or link.verified):
            raise Refusal("forbidden", "Only an adult whose age has been verified can answer for a ward.")
        check_fresh(actor, self._store.now_ms())

    async def _find(self, account: str) -> tuple[Account, bytes]:
        found = self._known.get(account)
        if found is None or self._store.now_ms() - found[0] > REMEMBER_MS:
            wanted = self._wanted.setdefault(account, asyncio.get_running_loop().create_future())
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            found = await asyncio.shield(wanted)
        if found is None:
            raise not_found("account")
        return found[1], found[2]

    async def _read(self) -> None:
        """Read whoever is wanted, all of them at once; under load a read serves dozens."""
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            now_ms = self._store.now_ms()
            try:
                rows = await self._accounts.with_keys(wanted)
            except Exception as error:
                for future in wanted.values():
                    future.set_exception(error)
                continue
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            for account, future in wanted.items():
                found = (now_ms, *rows[account]) if account in rows else None
                if found:
                    self._known[account] = found
                future.set_result(found)
        self._reading = None


class Callers:
    """Says whose bearer token or session cookie this is (the port of `http/endpoint.py`)."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def actor(self, bearer: str | None, cookie: str | None) -> Actor | None:
        """The caller; None for nobody's cookie; a bearer token that is not valid is refused."""
        if bearer is not None:
            return self._accounts.authenticate(bearer, "token").actor
        if cookie is None:
            return None
        try:
            return self._accounts.authenticate(cookie, "session").actor
        except Refusal:
            return None  # a page whose session has ended still shows what anyone may see
