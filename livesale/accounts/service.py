"""Accounts: one function for each thing people do with theirs, and the check of every request's token."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.accounts import store
from livesale.accounts.attempts import Attempts
from livesale.accounts.countries import Countries, shipped
from livesale.accounts.model import (
    UNKNOWN_AGE,
    Account,
    Age,
    AgeMethod,
    Place,
    age_told,
    called,
    checked,
    country_code,
    folded,
    known_role,
)
from livesale.accounts.passwords import Passwords
from livesale.accounts.revocations import Revocations
from livesale.accounts.signins import FRESH_MS, SignIns, audit
from livesale.accounts.tokens import Claims, Kind, Tokens
from livesale.kernel.clock import DAY_MS
from livesale.kernel.ids import NAME_CHARACTERS, random_name
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.kernel.sealing import lookup, new_key, seal, unseal
from livesale.store.database import reading

SYSTEM = "system"


class SignedIn(msgspec.Struct, frozen=True):
    """A browser's sign-in: the cookie's value, what it says, and what writes must send along."""

    cookie: str
    claims: Claims
    csrf: str


class Accounts:
    """Who someone is. `session_ms`: how long a browser stays signed in; `password_proves`: a password alone is a fresh
    proof, as where no mails are sent; `address_key`: finds accounts by mail address (`address.key`).
    """

    def __init__(
        self,
        engine: AsyncEngine,
        tokens: Tokens,
        address_key: bytes,
        session_ms: int = 30 * DAY_MS,
        now_ms: Callable[[], int] | None = None,
        passwords: Passwords | None = None,
        countries: Countries | None = None,
        password_proves: bool = True,
    ) -> None:
        self._engine = engine
        self._tokens = tokens
        self._address_key = address_key
        self._session_ms = session_ms
        self._now_ms = now_ms or _wall_ms
        self._passwords = passwords or Passwords()
        self._countries = countries or shipped()
        self._password_proves = password_proves
        self._attempts = Attempts()
        self.revocations = Revocations(engine, self._now_ms)
        self.sign_ins = SignIns(engine, tokens, self.revocations, self._now_ms)

    def authenticate(self, token: str, kind: Kind) -> Claims:
        """Whose token this is, without asking the database; refused (`unauthenticated`) when void."""
        claims = self._tokens.open(token, kind, self._now_ms())
        if self.revocations.covers(claims):
            raise Refusal("unauthenticated", "This sign-in was ended. Sign in again.")
        return claims

    def csrf(self, claims: Claims) -> str:
        """What a page must send along with the cookie of `claims`."""
        return self._tokens.csrf(claims)

    async def create_account(
        self,
        *,
        email: str,
        name: str,
        country: str,
        born: date | None,
        roles: Iterable[str] = ("viewer",),
        method: AgeMethod = "declared",
        issuer: str = "",
        password: str | None = None,
        region: str = "",
        actor: str = SYSTEM,
        keep: Callable[[AsyncConnection, Account], Awaitable[None]] | None = None,
    ) -> Account:
        """Create an account; refused (`conflict`) when the address has one. No `born`: youngest band.

        `keep` is called in the transaction that makes it.
        """
        now_ms = self._now_ms()
        country = checked("country", country_code, country)
        if region and region not in self._countries.regions(country):
            raise invalid("region", f"is no state of {country} that makes a difference here")
        account = Account(
            id=random_name(NAME_CHARACTERS),
            email=checked("email", folded, email),
            name=checked("name", called, name),
            country=country,
            region=region,
            place=self._countries.place(country, region),
            roles=frozenset(checked("role", known_role, role) for role in roles),
            age=UNKNOWN_AGE,
            created_ms=now_ms,
        )
        if born is not None:
            age = age_told(born, now_ms, account.place, method, issuer)
            account = msgspec.structs.replace(account, age=age)
        kept = await self._passwords.hash(password) if password is not None else ""
        try:
            async with self._engine.begin() as db:
                key = new_key()
                await store.add_account(db, self._row(account, kept, key), key)
                said = {
                    "roles": sorted(account.roles),
                    "country": account.country,
                    "age_method": account.age.method,
                }
                await audit(db, now_ms, actor, "account.create", account.id, said)
                if keep is not None:
                    await keep(db, account)
        except IntegrityError:
            raise Refusal("conflict", f"There is already an account for {account.email}.") from None
        return account

    async def sign_in(self, email: str, password: str, address: str | None = None, device: str = "") -> SignedIn:
        """Sign a browser in. `address` is the caller's, None for a loopback peer that nothing limits."""
        row = await self._proven(checked("email", folded, email), password, address)
        return await self._begin(row, device, "password", self._password_proves)

    async def enter(self, account: str, device: str, by: str, *, fresh: bool = True) -> SignedIn:
        """Sign a browser in to an account whose owner has proven it otherwise (`by`); `fresh`: it counts as a step-up."""
        async with reading(self._engine) as db:
            row = await store.find(db, account=account)
        if row is None:
            raise not_found("account")
        return await self._begin(row, device, by, fresh)

    async def _begin(self, row: RowMapping, device: str, by: str, fresh: bool = True) -> SignedIn:
        now_ms = self._now_ms()
        claims = _claims("session", row, now_ms, now_ms + self._session_ms, stepped_up=now_ms if fresh else 0)
        async with self._engine.begin() as db:
            await store.forget_expired(db, now_ms)
            await store.add_session(db, claims.sid, claims.account, claims.kind, now_ms, claims.expires, device=device)
            await audit(db, now_ms, claims.account, "session.begin", claims.account, {"sid": claims.sid, "by": by})
        return self._signed_in(claims)

    async def check_password(self, claims: Claims, password: str, address: str | None = None) -> Account:
        """Whose sign-in it is, who knows the password; refused as signing in is."""
        account = await self.me(claims.account)
        await self._proven(account.email, password, address)
        return account

    async def refresh(self, claims: Claims, by: str) -> SignedIn:
        """The same sign-in, whose owner has just proven it again (`by`)."""
        now_ms = self._now_ms()
        async with self._engine.begin() as db:
            await audit(db, now_ms, claims.account, "session.step_up", claims.account, {"sid": claims.sid, "by": by})
        return self._signed_in(msgspec.structs.replace(claims, stepped_up=now_ms))

    async def sign_out(self, claims: Claims) -> None:
        """End this sign-in; here at once, in other processes within 2 s."""
        await self.sign_ins.end(claims.account, claims.sid)

    async def sign_out_everywhere(self, account: str, actor: str = SYSTEM) -> None:
        """End every sign-in and token of an account, as when it is frozen or its password changes."""
        await self.sign_ins.end_all(account, actor)

    async def me(self, account: str) -> Account:
        """The account by its id; refused (`not_found`) when there is none."""
        return await self._found(account=account)

    async def with_keys(self, accounts: Iterable[str]) -> dict[str, tuple[Account, bytes]]:
        """Accounts and their sealing keys by id, in one read; without those that are not there, or erased."""
        async with reading(self._engine) as db:
            rows = await store.find_all(db, accounts)
        return {row["id"]: (self._account(row), row["key"]) for row in rows if row["key"] is not None}

    async def by_email(self, email: str) -> Account:
        """The account of an address; refused (`not_found`) when there is none."""
        return await self._found(email_hash=lookup(self._address_key, checked("email", folded, email)))

    async def issue_token(self, email: str, days: int, fresh: bool = False, actor: str = SYSTEM) -> str:
        """An API token for the account of `email`; `fresh`: ten minutes, and it counts as a step-up."""
        account = await self.by_email(email)
        now_ms = self._now_ms()
        expires = now_ms + (FRESH_MS if fresh else days * DAY_MS)
        row = {"id": account.id, "roles": " ".join(sorted(account.roles)), "country": account.country}
        claims = _claims("token", row, now_ms, expires, stepped_up=now_ms if fresh else 0)
        async with self._engine.begin() as db:
            await store.add_session(db, claims.sid, claims.account, claims.kind, now_ms, expires)
            action = "token.issue_fresh" if fresh else "token.issue"
            await audit(db, now_ms, actor, action, account.id, {"sid": claims.sid, "expires": expires})
        return self._tokens.sign(claims)

    async def _proven(self, email: str, password: str, address: str | None) -> RowMapping:
        """The account whose password this is; the same refusal, after the same time, whatever was wrong."""
        keys = [f"account {email}", f"address {address}"] if address is not None else []
        now_ms = self._now_ms()
        for key in keys:
            self._attempts.check(key, now_ms)
        async with reading(self._engine) as db:
            row = await store.find(db, email_hash=lookup(self._address_key, email))
        if not await self._passwords.check(row["password_hash"] if row else "", password) or row is None:
            for key in keys:
                self._attempts.failed(key, now_ms)
            raise Refusal("unauthenticated", "Address or password is wrong.")
        for key in keys[:1]:
            self._attempts.succeeded(key)
        if self._passwords.is_outdated(row["password_hash"]):
            async with self._engine.begin() as db:
                await store.set_password(db, row["id"], await self._passwords.hash(password))
        return row

    async def _found(self, **by: str) -> Account:
        async with reading(self._engine) as db:
            row = await store.find(db, **by)
        if row is None:
            raise not_found("account")
        return self._account(row)

    def _row(self, account: Account, password_hash: str, key: bytes) -> dict[str, Any]:
        return {
            "id": account.id,
            "email_hash": lookup(self._address_key, account.email),
            "email_sealed": seal(key, account.email.encode(), f"email:{account.id}"),
            "name": seal(key, account.name.encode(), f"name:{account.id}"),
            "country": account.country,
            "region": account.region,
            "roles": " ".join(sorted(account.roles)),
            "band": account.age.band,
            "band_ends_month": account.age.ends_month,
            "age_method": account.age.method,
            "age_issuer": account.age.issuer,
            "password_hash": password_hash,
            "created_ms": account.created_ms,
        }

    def _account(self, row: RowMapping) -> Account:
        return _account(row, self._countries.place(row["country"], row["region"]))

    def _signed_in(self, claims: Claims) -> SignedIn:
        return SignedIn(self._tokens.sign(claims), claims, self._tokens.csrf(claims))


def _claims(kind: Kind, row: Any, now_ms: int, expires: int, stepped_up: int) -> Claims:
    roles = tuple(row["roles"].split())
    return Claims(kind, row["id"], roles, row["country"], now_ms, expires, random_name(), stepped_up)


def _account(row: RowMapping, place: Place) -> Account:
    """An erased account keeps its id; its name and address read as empty."""
    name, email = (
        unseal(row["key"], row[column], f"{what}:{row['id']}").decode() if row["key"] else ""
        for column, what in (("name", "name"), ("email_sealed", "email"))
    )
    age = Age(row["band"], row["band_ends_month"], row["age_method"], row["age_issuer"])
    roles = frozenset(row["roles"].split())
    return Account(row["id"], email, name, row["country"], roles, age, row["created_ms"], place, row["region"])


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
