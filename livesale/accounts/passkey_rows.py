"""The SQL of passkeys, and of challenges that are spent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from livesale.kernel.refusals import Refusal
from livesale.store.database import metadata

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account", String(40), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False, unique=True),  # the authenticator's id, at most 1023 bytes
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),  # 0 for good where the authenticator does not count
    Column("name", LargeBinary, nullable=False),  # sealed, context `passkey:ID`
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
)
spent = Table(
    "spent",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256
    Column("until_ms", BigInteger, nullable=False, index=True),  # void by itself after that
)


async def add(
    db: AsyncConnection, passkey: str, account: str, credential: bytes, public_key: bytes, sign_count: int,
    name: bytes, at_ms: int,
) -> None:  # fmt: skip
    """Insert one; IntegrityError when the credential is known."""
    values = {"id": passkey, "account": account, "credential": credential, "public_key": public_key}
    times = {"created_ms": at_ms, "used_ms": 0}
    await db.execute(insert(passkeys).values(**values, **times, sign_count=sign_count, name=name))


async def of_account(db: AsyncConnection, account: str) -> list[RowMapping]:
    """An account's, oldest first."""
    query = select(passkeys).where(passkeys.c.account == account).order_by(passkeys.c.created_ms, passkeys.c.id)
    return list((await db.execute(query)).mappings())


async def by_credential(db: AsyncConnection, credential: bytes) -> RowMapping | None:
    """The one an authenticator names."""
    return (await db.execute(select(passkeys).where(passkeys.c.credential == credential))).mappings().first()


async def used(db: AsyncConnection, passkey: str, count_before: int, count: int, at_ms: int) -> bool:
    """Note a use; False when the counter is not `count_before` any more, or the passkey is gone."""
    same = (passkeys.c.id == passkey) & (passkeys.c.sign_count == count_before)
    done = await db.execute(update(passkeys).where(same).values(sign_count=count, used_ms=at_ms))
    return done.rowcount == 1


async def rename(db: AsyncConnection, passkey: str, name: bytes) -> None:
    """Another sealed name."""
    await db.execute(update(passkeys).where(passkeys.c.id == passkey).values(name=name))


async def remove(db: AsyncConnection, passkey: str) -> None:
    """Delete one."""
    await db.execute(delete(passkeys).where(passkeys.c.id == passkey))


async def spend_once(db: AsyncConnection, hashed: str, until_ms: int, now_ms: int) -> None:
    """Write down that something good once has been used; refused (`expired`) the second time. What is void is forgotten."""
    await db.execute(delete(spent).where(spent.c.until_ms <= now_ms))
    try:
        await db.execute(insert(spent).values(hash=hashed, until_ms=until_ms))
    except IntegrityError as error:
        raise Refusal("expired", "This was used already. Please try again.") from error
