"""The sandbox's double-entry ledger: every movement of money is one entry whose postings sum to zero.

Accounts: `customer` (the buyer's bank), `authorised` (promised, not yet taken), `merchant` (the shop's
balance), `disputed` (pulled back by the buyer's bank). No account is ever corrected: a movement back is an
entry of its own.
"""

from __future__ import annotations

import sqlite3
from typing import Any

ACCOUNTS = ("customer", "authorised", "merchant", "disputed")

Movement = tuple[str, str, int]  # from, to, minor units


def post(
    connection: sqlite3.Connection,
    intent: str,
    currency: str,
    act: str,
    movements: list[Movement],
    at_ms: int,
) -> None:
    """Enter `movements` of one `act`; movements of nothing are left out, and nothing moves against its
    direction.
    """
    real = [movement for movement in movements if movement[2]]
    if any(amount < 0 for _, _, amount in real):
        raise ValueError(f"{act} of {intent} would move money backwards: {real}")
    entry = connection.execute(
        "INSERT INTO entries (intent, act, at_ms) VALUES (?, ?, ?)", (intent, act, at_ms)
    ).lastrowid
    rows = [row for source, target, amount in real for row in ((source, -amount), (target, amount))]
    connection.executemany(
        "INSERT INTO postings (entry, account, currency, amount) VALUES (?, ?, ?, ?)",
        [(entry, account, currency, amount) for account, amount in rows],
    )


def balances(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """`{account: {currency: minor units}}`; each currency sums to zero over the accounts."""
    totals: dict[str, dict[str, int]] = {account: {} for account in ACCOUNTS}
    for account, currency, amount in connection.execute(
        "SELECT account, currency, SUM(amount) FROM postings GROUP BY account, currency ORDER BY 1, 2"
    ):
        totals[account][currency] = amount
    return totals


def entries(connection: sqlite3.Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """Entries behind position `after`, oldest first: `{seq, intent, act, at, postings: [{account, …}]}`."""
    found = [
        {"seq": seq, "intent": intent, "act": act, "at": at_ms, "postings": _postings(connection, seq)}
        for seq, intent, act, at_ms in connection.execute(
            "SELECT seq, intent, act, at_ms FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()
    ]
    return found


def _postings(connection: sqlite3.Connection, entry: int) -> list[dict[str, Any]]:
    rows = connection.execute("SELECT account, currency, amount FROM postings WHERE entry = ?", (entry,))
    return [{"account": row[0], "currency": row[1], "amount": row[2]} for row in rows]
