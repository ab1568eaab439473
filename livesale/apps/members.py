"""The commands that need the accounts only: loading nothing else, they are done in half the time of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from livesale.accounts.countries import of_folder
from livesale.accounts.service import Accounts
from livesale.accounts.tokens import Tokens
from livesale.kernel.clock import DAY_MS
from livesale.settings import Settings
from livesale.store.database import engine


@asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """The accounts of the system on DATA."""
    tokens = Tokens(settings.key("token.key"))
    database = engine(settings.sql_url)
    try:
        session_ms, countries = settings.sessions.session_d * DAY_MS, of_folder(settings.countries)
        yield Accounts(database, tokens, settings.key("address.key"), session_ms, countries=countries)
    finally:
        await database.dispose()


async def user_add(
    settings: Settings, *, email: str, name: str, role: str, born: date, country: str, region: str
) -> str:
    """Create an account whose age the operator has checked; returns its id."""
    async with open_accounts(settings) as accounts:
        account = await accounts.create_account(
            email=email,
            name=name,
            roles=(role,),
            born=born,
            country=country,
            region=region,
            method="verified",
            issuer="operator",
        )
        return account.id


async def token(settings: Settings, *, email: str, days: int | None, fresh: bool) -> str:
    """An API token for the account of `email`."""
    async with open_accounts(settings) as accounts:
        return await accounts.issue_token(email, days or settings.sessions.token_d, fresh)
