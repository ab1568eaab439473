"""The SQL of accounts: tables and statements on them. Names and addresses are sealed with the account's own key.

`account_audit` is written in the transaction of the act it tells about, so neither exists without the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.accounts.model import Age
from livesale.store.database import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("email_hash", String(254), nullable=False),  # keyed (sealing.lookup); once erased: `erased:ID`
    Column("email_sealed", LargeBinary, nullable=False),  # folded; sealed, context `email:ID`
    Column("name", LargeBinary, nullable=False),  # sealed, context `name:ID`
    Column("country", String(2), nullable=False),
    Column("region", String(3), nullable=False, server_default=""),  # a state, where majority differs by state
    Column("roles", String(200), nullable=False),  # separated by spaces
    Column("band", String(10), nullable=False),
    Column("band_ends_month", String(7), nullable=False),
    Column("age_method", String(10), nullable=False),
    Column("age_issuer", String(100), nullable=False),
    Column("password_hash", String(200), nullable=False),  # empty: nobody can sign in by password
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("email_hash", name="uq_accounts_email"),
)
sealing_keys = Table(
    "sealing_keys",
    metadata,
    Column("account", String(40), ForeignKey("accounts.id"), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("sid", String(40), primary_key=True),
    Column("account", String(40), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("device", String(40), nullable=False),  # a browser in two words
    Column("name", LargeBinary, nullable=False),  # of a token its owner made: sealed, context `token:SID`; else empty
    Column("scopes", Text, nullable=False),  # of such a token, separated by spaces
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)
revocations = Table(
    "revocations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sid", String(40), nullable=False),  # one sign-in, or empty:
    Column("account", String(40), nullable=False),  # all of the account's issued up to at_ms
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("until_ms", BigInteger, nullable=False, index=True),  # nothing it concerns is valid after that
)
_WITH_KEY = select(accounts, sealing_keys.c.key).select_from(
    accounts.outerjoin(sealing_keys, sealing_keys.c.account == accounts.c.id)
)
account_audit = Table(
    "account_audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(40), nullable=False),
    Column("action", String(60), nullable=False),
    Column("account", String(40), nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Index("account_audit_at", "at_ms"),
)


async def add_account(db: AsyncConnection, row: dict[str, Any], key: bytes) -> None:
    """Insert an account and its sealing key; IntegrityError when the address is taken."""
    await db.execute(insert(accounts).values(**row))
    await db.execute(insert(sealing_keys).values(account=row["id"], key=key))


async def find(
    db: AsyncConnection, *, account: str | None = None, email_hash: str | None = None
) -> RowMapping | None:
    """An account's row with its sealing `key` (None once erased), by id or by its address's hash."""
    matches = accounts.c.id == account if account is not None else accounts.c.email_hash == email_hash
    return (await db.execute(_WITH_KEY.where(matches))).mappings().first()


async def find_all(db: AsyncConnection, ids: Iterable[str]) -> list[RowMapping]:
    """The rows of these accounts, each with its sealing `key` (None once erased); in no order."""
    return list((await db.execute(_WITH_KEY.where(accounts.c.id.in_(list(ids))))).mappings())


async def set_password(db: AsyncConnection, account: str, password_hash: str) -> None:
    """Replace an account's password."""
    await db.execute(update(accounts).where(accounts.c.id == account).values(password_hash=password_hash))


async def set_age(db: AsyncConnection, account: str, age: Age, known_before: tuple[str, ...] = ()) -> bool:
    """Replace an account's age; False when it is known by none of `known_before` (empty: whatever it is known by)."""
    found = accounts.c.id == account
    if known_before:
        found &= accounts.c.age_method.in_(known_before)
    values = {"band": age.band, "band_ends_month": age.ends_month, "age_method": age.method, "age_issuer": age.issuer}
    return (await db.execute(update(accounts).where(found).values(**values))).rowcount == 1


async def add_session(
    db: AsyncConnection, sid: str, account: str, kind: str, at_ms: int, expires_ms: int, *,
    device: str = "", name: bytes = b"", scopes: str = "",
) -> None:  # fmt: skip
    """Remember a sign-in."""
    values = {"sid": sid, "account": account, "kind": kind, "created_ms": at_ms, "expires_ms": expires_ms}
    await db.execute(insert(sessions).values(**values, device=device, name=name, scopes=scopes))


async def sessions_of(db: AsyncConnection, account: str, now_ms: int) -> list[RowMapping]:
    """The account's sign-ins that have not expired, newest first."""
    valid = (sessions.c.account == account) & (sessions.c.expires_ms > now_ms)
    query = select(sessions).where(valid).order_by(sessions.c.created_ms.desc(), sessions.c.sid)
    return list((await db.execute(query)).mappings())


async def revoke(db: AsyncConnection, sid: str, account: str, at_ms: int, until_ms: int) -> None:
    """Revoke one sign-in (`sid`), or with an empty `sid` all of `account` issued up to `at_ms`."""
    await db.execute(insert(revocations).values(sid=sid, account=account, at_ms=at_ms, until_ms=until_ms))
    ended = sessions.c.sid == sid if sid else sessions.c.account == account
    await db.execute(delete(sessions).where(ended))


async def was_revoked(db: AsyncConnection, sid: str) -> bool:
    """Whether this sign-in has been ended by its id."""
    return (await db.execute(select(revocations.c.id).where(revocations.c.sid == sid).limit(1))).first() is not None


async def revoked_since(db: AsyncConnection, since_ms: int, now_ms: int) -> list[RowMapping]:
    """Revocations made at `since_ms` or later that still matter at `now_ms`."""
    matters = (revocations.c.at_ms >= since_ms) & (revocations.c.until_ms > now_ms)
    return list((await db.execute(select(revocations).where(matters))).mappings())


async def forget_expired(db: AsyncConnection, now_ms: int) -> None:
    """Delete sign-ins and revocations that can no longer matter."""
    await db.execute(delete(sessions).where(sessions.c.expires_ms <= now_ms))
    await db.execute(delete(revocations).where(revocations.c.until_ms <= now_ms))


async def write_audit(
    db: AsyncConnection, at_ms: int, actor: str, action: str, account: str, data: str
) -> None:
    """Write down who did what to which account."""
    values = {"at_ms": at_ms, "actor": actor, "action": action, "account": account, "data": data}
    await db.execute(insert(account_audit).values(**values))


async def acts_on(db: AsyncConnection, account: str) -> list[RowMapping]:
    """What was written down about one account, oldest first."""
    query = select(account_audit).where(account_audit.c.account == account).order_by(account_audit.c.id)
    return list((await db.execute(query)).mappings())


async def read_audit(db: AsyncConnection, limit: int, before_id: int | None = None) -> list[RowMapping]:
    """What was written down, newest first."""
    page = select(account_audit).order_by(account_audit.c.id.desc()).limit(limit)
    if before_id is not None:
        page = page.where(account_audit.c.id < before_id)
    return list((await db.execute(page)).mappings())
