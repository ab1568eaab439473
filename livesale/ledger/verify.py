"""Verify: re-derives a show's stock, orders and money from its archived log and names everything that says otherwise.

Checked: the chain and its signed heads; no gap in archive or log; the store's log is the archive's bytes; every counter
and record of the store; every row the projection wrote; the stock law at every entry; `n:STATE`, `revenue`, `refunded`;
a shop's stock from what feeds told, what was corrected, and transfers;
the law of every coupon's quota; that an order's total is its lines less its coupon plus shipping, and that just this was
captured; that no refund exceeds what was captured, and that refunds, payments and orders say the same of what is back;
that of a contract that floats or is void nothing is sent, and of a void one all money is given back;
that past orders' records are in the archive as they left their shelf, and come back as they were.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesale.kernel.refusals import not_found
from livesale.ledger import snapshot, tables
from livesale.ledger.replay import Difference, Left, Replay, Row
from livesale.ledger.snapshot import Shelved
from livesale.orders.past_records import past_records
from livesale.settings import Settings
from livesale.store import database
from livesale.store.valkey import Store, connect

WAIT_S = 30.0
MOST_PRINTED = 200
GIVEN_BACK = ("refunded", "withdrawn")
SETTLE_MS = 60_000  # longer than a worker needs to come back


@dataclass(slots=True)
class Findings:
    """What a verification found: `differences`, and figures for the summary."""

    shelf: str
    differences: list[Difference] = field(default_factory=list)
    entries: int = 0
    heads: int = 0
    replay: Replay | None = None

    def differs(self, where: str, expected: object, found: object) -> None:
        """Note that something is not as it must be."""
        self.differences.append(Difference(f"{self.shelf} {where}", str(expected), str(found)))


async def verify(
    store: Store, engine: AsyncEngine, show: str, public_key: bytes, wait_s: float = WAIT_S
) -> list[Difference]:
    """Everything about `show` (its id, or any shelf) that differs; on a live show as of the head when called.

    `public_key` is raw Ed25519. Refusal `not_found` when neither the store nor the archive knows the show.
    """
    return (await examine(store, engine, show, public_key, wait_s)).differences


async def examine(store: Store, engine: AsyncEngine, show: str, public_key: bytes, wait_s: float = WAIT_S) -> Findings:
    """As `verify`, with the figures for a summary."""
    shelf = show if ":" in show else f"show:{show}"
    findings = Findings(shelf)
    live = await snapshot.of_store(store, shelf)
    late = await snapshot.caught_up(engine, shelf, live.seq, wait_s)
    if late:
        findings.differs("archive", f"complete and signed up to {live.seq}", late)
    async with _frozen(engine) as connection:
        place = await snapshot.row(connection, tables.cursor, shelf)
        if not live.seq and not place:
            raise not_found(f"show as {show}")
        digests = await _walk(connection, findings, live, Ed25519PublicKey.from_public_bytes(public_key))
        if findings.entries != place.get("seq", 0):
            findings.differs("archive", f"{place.get('seq', 0)} entries, as its cursor says", findings.entries)
        await _compare_rows(connection, findings)
        _compare_past(findings, await snapshot.rows(connection, past_records, shelf), await store.seq(shelf))
        _unsettled(findings, store.now_ms())
    await _compare_log(store, engine, findings, live.seq, digests)
    return findings


async def _walk(
    connection: AsyncConnection, findings: Findings, live: Shelved, key: Ed25519PublicKey
) -> dict[int, bytes]:
    """Follow the chain through the archive and replay it; a digest of each entry's bytes."""
    shelf = findings.shelf
    heads = {row["seq"]: row for row in await snapshot.rows(connection, tables.heads, shelf)}
    findings.heads, findings.replay = len(heads), Replay(shelf)
    last, wanted = hashlib.sha256(f"livesale chain {shelf}".encode()).digest(), 1
    digests: dict[int, bytes] = {}
    async for seq, raw, stored, previous in snapshot.archived(connection, shelf):
        if seq != wanted:
            findings.differs("archive", f"entry {wanted}", f"entry {seq}: {seq - wanted} are missing")
        if previous != last:
            findings.differs(f"archive entry {seq} previous hash", last.hex(), previous.hex())
        last = hashlib.sha256(previous + seq.to_bytes(8, "big") + raw).digest()
        if stored != last:
            findings.differs(f"archive entry {seq} hash", last.hex(), stored.hex())
        if seq in heads:
            _check_head(findings, heads.pop(seq), last, key)
        last, wanted, digests[seq] = stored, seq + 1, hashlib.sha1(raw, usedforsecurity=False).digest()
        findings.entries += 1
        findings.replay.take(seq, raw)
        if seq == live.seq:
            _compare_store(findings, live)
    for seq in sorted(heads):
        findings.differs(f"head {seq}", "an archived entry", "none")
    if live.seq not in digests and live.seq:
        findings.differs(f"archive entry {live.seq}", "the entry at the store's head", "none")
    findings.differences += findings.replay.differences
    return digests


def _check_head(findings: Findings, head: Row, chained: bytes, key: Ed25519PublicKey) -> None:
    seq = head["seq"]
    if head["hash"] != chained:
        findings.differs(f"head {seq} hash", chained.hex(), head["hash"].hex())
    signed = f"livesale head {findings.shelf} ".encode() + seq.to_bytes(8, "big") + head["hash"]
    try:
        key.verify(head["signature"], signed)
    except InvalidSignature:
        findings.differs(f"head {seq} signature", "a signature of the ledger's key", head["signature"].hex())


def _compare_store(findings: Findings, live: Shelved) -> None:
    """Counters and records of the store against the log up to the same entry."""
    replay = findings.replay
    assert replay is not None
    _compare_maps(findings, "store counter", _not_zero(replay.counters), _not_zero(live.counters))
    _compare_maps(findings, "store record", _texts(replay.digests), _texts(live.digests))


async def _compare_log(
    store: Store, engine: AsyncEngine, findings: Findings, head: int, digests: Mapping[int, bytes]
) -> None:
    """The log the store still keeps: no entry missing, each the archived bytes."""
    kept: set[int] = set()
    async for entry in snapshot.kept_log(store, findings.shelf):
        kept.add(entry.seq)
        archived = digests.get(entry.seq)
        if archived and archived != hashlib.sha1(entry.raw, usedforsecurity=False).digest():
            findings.differs(f"store log entry {entry.seq}", "the archived bytes", "others")
    async with database.reading(engine) as connection:  # after the log, for trimming goes on meanwhile
        trimmed = (await snapshot.row(connection, tables.cursor, findings.shelf)).get("trimmed", 0)
    for seq in range(max(trimmed, 1), head + 1):
        if seq not in kept:
            findings.differs(f"store log entry {seq}", "kept", "missing")
    if digests and head < (last := max(digests)) and last not in kept:
        findings.differs("store log", f"at least the {last} archived entries", f"it ends at {head}")


async def _compare_rows(connection: AsyncConnection, findings: Findings) -> None:
    """Every row the projection wrote for this shelf, and the sums that must agree by law."""
    replay, shelf = findings.replay, findings.shelf
    assert replay is not None
    counters = {row["name"]: row["value"] for row in await snapshot.rows(connection, tables.counters, shelf)}
    _compare_maps(findings, "SQL counter", _not_zero(replay.counters), _not_zero(counters))
    for name, table in (("orders", tables.orders), ("approvals", tables.approvals), ("offers", tables.offers)):
        found = {row["id"]: row for row in await snapshot.rows(connection, table, shelf)}
        _compare_table(findings, name, getattr(replay, name), found)
    query = select(tables.shows).where(tables.shows.c.id == shelf.partition(":")[2])
    shows = {row["id"]: dict(row) for row in (await connection.execute(query)).mappings()}
    if shelf.startswith("show:"):
        expected = {shelf.partition(":")[2]: {**replay.show, "last_seq": findings.entries}} if replay.show else {}
        _compare_table(findings, "shows", expected, shows)
    _compare_money(findings, await snapshot.rows(connection, tables.money, shelf))
    _compare_prices(findings, await snapshot.rows(connection, tables.prices, shelf))
    sums = replay.sums()
    told = ("n:", "waiting:", "offered:")
    sums |= {name: sums.get(name, 0) for name in replay.counters if name.startswith(told)}
    _moneys(findings)
    _compare_maps(findings, "law: counter", sums, {name: replay.counters.get(name, 0) for name in sums})


def _compare_past(findings: Findings, rows: list[Row], now: int) -> None:
    """Every record that has left is archived as it was. A row may be of a leaving that was begun, or is over: then the
    record is on its shelf in that version or a later one; or of one that came after the entries looked at, up to `now`.
    """
    assert findings.replay is not None
    replay, found = findings.replay, {row["record"]: row for row in rows}
    for record in sorted(replay.past.keys() - found.keys()):
        findings.differs(f"SQL past record {record}", "a row", "none")
    for record, row in sorted(found.items()):
        digest = hashlib.sha1(row["data"], usedforsecurity=False).hexdigest()
        told, left = Left(row["version"], digest, row["order_id"], row["released"]), replay.past.get(record)
        if findings.entries < told.version <= now:
            continue
        on_shelf = replay.digests.get(record, (0, ""))
        if left is None and told.version >= on_shelf[0] and (told.version, digest) != on_shelf:
            findings.differs(f"SQL past record {record}", f"none, or {on_shelf}", told)
        elif left is not None and told != left:
            findings.differs(f"SQL past record {record}", left, told)


def _moneys(findings: Findings) -> None:
    """What was captured is what the order cost; money back by the payments is money back by the refunds, and an order all
    of whose money is back says so."""
    assert findings.replay is not None
    replay = findings.replay
    captured: Counter[str] = Counter()
    for one in replay.payments.values():
        captured[one.order] += one.captured
    for order in sorted(replay.settled):
        if captured[order] != replay.orders[order]["total"]:
            findings.differs(f"law: captured for {order}", replay.orders[order]["total"], captured[order])
    for order, (done, paid) in sorted(replay.given_back().items()):
        if done != paid:
            findings.differs(f"law: refunds of {order}", f"{paid}, as its payment says", done)
        state = replay.orders.get(order, {}).get("state", "unknown")
        if state in GIVEN_BACK and paid != captured[order]:
            findings.differs(f"law: order {order}", f"all {captured[order]} back, as it is {state}", paid)
    _void_contracts(findings, captured)


def _void_contracts(findings: Findings, captured: Mapping[str, int]) -> None:
    """What a minor bought and nobody ratified: all money is on its way back, or a refund of it has failed."""
    assert findings.replay is not None
    for order, contract in sorted(findings.replay.contracts.items()):
        refunds = findings.replay.refunds.get(order, {}).values()
        asked = sum(amount for amount, _ in refunds)
        if contract == "void" and asked < captured[order]:
            findings.differs(f"law: void contract of {order}", f"{captured[order]} given back", asked)


def _unsettled(findings: Findings, now_ms: int) -> None:
    """Money captured for an order that neither became paid nor gives it back: two commits, a moment apart."""
    assert findings.replay is not None
    kept = findings.replay.settled | findings.replay.refunds.keys()
    for payment, captured in findings.replay.payments.items():
        if captured.captured and captured.order not in kept and now_ms - captured.at_ms > SETTLE_MS:
            state = findings.replay.orders.get(captured.order, {}).get("state", "unknown")
            findings.differs(f"law: payment {payment}", f"{captured.order} paid", f"captured, the order {state}")


def _compare_table(findings: Findings, name: str, expected: Mapping[str, Row], found: Mapping[str, Row]) -> None:
    for key in sorted(expected.keys() | found.keys()):
        if key not in found or key not in expected:
            findings.differs(f"SQL {name} {key}", *(("a row", "none") if key in expected else ("none", "a row")))
            continue
        for column, value in expected[key].items():
            told = found[key][column]
            if column == "lines":
                told = _canonical(told)
            if told != value:
                findings.differs(f"SQL {name} {key} {column}", value, told)


def _compare_money(findings: Findings, found: list[Row]) -> None:
    assert findings.replay is not None
    names = ("seq", "account", "amount", "currency", "payment", "order_id")
    expected = Counter(findings.replay.money)
    stored = Counter(tuple(row[name] for name in names) for row in found)
    for entry, count in sorted((expected - stored).items()):
        findings.differs(f"SQL money at entry {entry[0]}", f"{count} × {entry[1:]}", "missing")
    for other, count in sorted((stored - expected).items()):
        findings.differs(f"SQL money at entry {other[0]}", "nothing like it", f"{count} × {other[1:]}")


def _compare_prices(findings: Findings, found: list[Row]) -> None:
    """The price log, by which reductions are measured: nothing added, changed or taken away."""
    assert findings.replay is not None
    names = ("seq", "offer", "price", "currency", "from_ms", "until_ms")
    expected, stored = Counter(findings.replay.prices), Counter(tuple(row[name] for name in names) for row in found)
    for entry in sorted((expected - stored).keys(), key=str):
        findings.differs(f"SQL price at entry {entry[0]}", str(entry[1:]), "missing")
    for other in sorted((stored - expected).keys(), key=str):
        findings.differs(f"SQL price at entry {other[0]}", "nothing like it", str(other[1:]))


def _compare_maps(findings: Findings, what: str, expected: Mapping[str, object], found: Mapping[str, object]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            findings.differs(f"{what} {name}", expected.get(name, "none"), found.get(name, "none"))


def _not_zero(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in counters.items() if value}


def _texts(digests: Mapping[str, tuple[int, str]]) -> dict[str, str]:
    return {name: f"version {version}, SHA-1 {digest}" for name, (version, digest) in digests.items()}


def _canonical(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


@asynccontextmanager
async def _frozen(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose reads all see one moment of the database."""
    if engine.dialect.name != "sqlite":  # SQLite's read transactions are snapshots already
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    async with database.reading(engine) as connection:
        yield connection


async def main(settings: Settings, show: str, wait_s: float = WAIT_S, say: Callable[[str], object] = print) -> int:
    """`livesale show verify`: prints each difference and a summary; the exit code, 0 when nothing differs."""
    store, engine = await connect(settings.store_url), database.engine(settings.sql_url)
    try:
        findings = await examine(store, engine, show, settings.key("ledger.pub"), wait_s)
    finally:
        await store.close()
        await engine.dispose()
    for difference in findings.differences[:MOST_PRINTED]:
        say(str(difference))
    if len(findings.differences) > MOST_PRINTED:
        say(f"… and {len(findings.differences) - MOST_PRINTED} more")
    say(summary(findings))
    return 1 if findings.differences else 0


def summary(findings: Findings) -> str:
    """One line: what was looked at and what came out."""
    replay = findings.replay
    assert replay is not None
    sums = replay.sums()
    sold = sum(value for name, value in replay.counters.items() if name.startswith("claimed:"))
    money = f"captured {sums['revenue']} and refunded {sums['refunded']} {replay.show.get('currency', '')}".strip()
    looked = (
        f"{findings.entries} entries, {findings.heads} signed heads, {len(replay.orders)} orders, {sold} units sold"
    )
    result = f"{len(findings.differences)} differences" if findings.differences else "no difference"
    return f"{findings.shelf}: {result} in {looked}, {money} (minor units)"
