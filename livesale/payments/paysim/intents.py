"""What can happen to one payment in the sandbox: each act checks, moves the money and tells the webhook
queue, at once.

States: requires_action → authorised → captured → refunded; ends failed, voided. One capture per payment:
what it leaves goes back to the customer. Every act is called inside the book's transaction.

A bank that was asked may say yes after all: `pm_late_3ds` is authorised and `pm_transfer` (which is captured as it
arrives) comes in even when the merchant has voided the payment meanwhile.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import msgspec
from yarl import URL

from livesale.kernel.ids import random_name
from livesale.kernel.money import Amount, Currency
from livesale.kernel.refusals import Refusal, invalid, not_found
from livesale.payments.paysim.postings import Movement, post
from livesale.payments.provider import Attempt

METHODS = ("pm_ok", "pm_declined", "pm_3ds", "pm_late_decline", "pm_dispute", "pm_late_3ds", "pm_transfer")
CONFIRMED = ("pm_3ds", "pm_late_3ds", "pm_transfer")  # by the buyer, at the bank
LATE = ("pm_late_3ds", "pm_transfer")

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+\Z")

Tell = Callable[[sqlite3.Connection, str, Attempt], None]  # event type, the payment after it


class NewIntent(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /v1/intents`: `amount` in minor units, `reference` is the merchant's own name for it."""

    amount: Amount
    currency: Currency
    method_token: str
    reference: str
    return_url: str = ""
    capture: str = "manual"


class Intents:
    """The acts. `url_of(id)` is where a buyer confirms a payment; `now_ms` the sandbox's clock."""

    def __init__(self, now_ms: Callable[[], int], tell: Tell) -> None:
        self._now_ms = now_ms
        self._tell = tell

    def create(self, connection: sqlite3.Connection, asked: NewIntent) -> Attempt:
        """Authorise, ask for the buyer's confirmation, or decline, as the method's token says."""
        _check(asked)
        state, decline = {
            "pm_declined": ("failed", "card_declined"),
            **dict.fromkeys(CONFIRMED, ("requires_action", None)),
        }.get(asked.method_token, ("authorised", None))
        intent = f"pi_{random_name(20)}"
        connection.execute(
            "INSERT INTO intents (state, decline_code, return_url, created_ms, id, reference, method,"
            " currency, amount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (state, decline, asked.return_url, self._now_ms(), intent, *_kept(asked)),
        )
        if state == "authorised":
            self._post(
                connection, intent, asked.currency, "authorise", [("customer", "authorised", asked.amount)]
            )
        return self._told(connection, f"intent.{state}", intent)

    def confirm(self, connection: sqlite3.Connection, intent: str, approved: bool) -> Attempt:
        """The buyer's answer on the confirmation page; a second answer changes nothing."""
        payment, method = load(connection, intent), method_of(connection, intent)
        late = approved and method in LATE and payment.state in ("voided", "failed")
        if payment.state != "requires_action" and not late:
            return payment
        if not approved:
            self._set(connection, intent, state="failed", decline_code="authentication_failed")
            return self._told(connection, "intent.failed", intent)
        if method == "pm_transfer":
            self._set(connection, intent, state="captured", captured=payment.amount)
            self._post(connection, intent, payment.currency, "transfer", [("customer", "merchant", payment.amount)])
            return self._told(connection, "intent.captured", intent)
        self._set(connection, intent, state="authorised")
        movement = ("customer", "authorised", payment.amount)
        self._post(connection, intent, payment.currency, "authorise", [movement])
        return self._told(connection, "intent.authorised", intent)

    def capture(
        self, connection: sqlite3.Connection, intent: str, amount: int, currency: str | None
    ) -> Attempt:
        """Take `amount`, let go of the rest; refused when not authorised or over what is."""
        payment = load(connection, intent)
        _check_amount(payment, amount, currency)
        if payment.state != "authorised":
            raise Refusal(
                "conflict", f"A payment that is {payment.state} cannot be captured.", _code("not_authorised")
            )
        if amount > payment.amount:
            detail = f"{amount} is more than the {payment.amount} authorised."
            raise Refusal("conflict", detail, _code("over_capture"))
        method = method_of(connection, intent)
        if method == "pm_late_decline":
            return self._decline_late(connection, intent, payment)
        rest = payment.amount - amount
        movements = [("authorised", "merchant", amount), ("authorised", "customer", rest)]
        self._set(connection, intent, state="captured", captured=amount)
        self._post(connection, intent, payment.currency, "capture", movements)
        answer = self._told(connection, "intent.captured", intent)
        return self._dispute(connection, intent, answer) if method == "pm_dispute" else answer

    def void(self, connection: sqlite3.Connection, intent: str) -> Attempt:
        """Let go of what is authorised; voiding what is voided changes nothing."""
        payment = load(connection, intent)
        if payment.state == "voided":
            return payment
        if payment.state not in ("authorised", "requires_action"):
            raise Refusal(
                "conflict", f"A payment that is {payment.state} cannot be voided.", _code("not_authorised")
            )
        held = payment.amount if payment.state == "authorised" else 0
        self._set(connection, intent, state="voided")
        self._post(connection, intent, payment.currency, "void", [("authorised", "customer", held)])
        return self._told(connection, "intent.voided", intent)

    def refund(
        self, connection: sqlite3.Connection, intent: str, amount: int, currency: str | None
    ) -> Attempt:
        """Give back `amount`; refused over what was captured and is neither refunded nor disputed."""
        payment = load(connection, intent)
        _check_amount(payment, amount, currency)
        left = payment.captured - payment.refunded - payment.disputed
        if amount > left:
            raise Refusal(
                "conflict", f"{amount} is more than the {left} that can go back.", _code("over_refund")
            )
        refunded = payment.refunded + amount
        state = "refunded" if refunded == payment.captured else "captured"
        self._set(connection, intent, state=state, refunded=refunded)
        self._post(connection, intent, payment.currency, "refund", [("merchant", "customer", amount)])
        return self._told(connection, "intent.refunded", intent)

    def _decline_late(self, connection: sqlite3.Connection, intent: str, payment: Attempt) -> Attempt:
        self._set(connection, intent, state="failed", decline_code="capture_declined")
        movements = [("authorised", "customer", payment.amount)]
        self._post(connection, intent, payment.currency, "release", movements)
        return self._told(connection, "intent.failed", intent)

    def _dispute(self, connection: sqlite3.Connection, intent: str, captured: Attempt) -> Attempt:
        self._set(connection, intent, disputed=captured.captured)
        movements = [("merchant", "disputed", captured.captured)]
        self._post(connection, intent, captured.currency, "dispute", movements)
        self._told(connection, "dispute.opened", intent)
        return captured  # the merchant hears of the dispute by webhook, as it would from a bank

    def _set(self, connection: sqlite3.Connection, intent: str, **columns: str | int) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)
        connection.execute(
            f"UPDATE intents SET {changes}, version = version + 1 WHERE id = ?", (*columns.values(), intent)
        )

    def _post(
        self, connection: sqlite3.Connection, intent: str, currency: str, act: str, movements: list[Movement]
    ) -> None:
        post(connection, intent, currency, act, movements, self._now_ms())

    def _told(self, connection: sqlite3.Connection, event: str, intent: str) -> Attempt:
        payment = load(connection, intent)
        self._tell(connection, event, payment)
        return payment


_COLUMNS = "id, state, decline_code, reference, currency, amount, captured, refunded, disputed, version"


def load(connection: sqlite3.Connection, intent: str) -> Attempt:
    """The payment `intent` as it stands; Refusal `not_found`."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM intents WHERE id = ?", (intent,)).fetchone()
    if row is None:
        raise not_found("payment")
    return _attempt(row)


def with_reference(connection: sqlite3.Connection, reference: str) -> list[Attempt]:
    """All payments made under `reference`, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM intents WHERE reference = ? ORDER BY created_ms, rowid", (reference,)
    )
    return [_attempt(row) for row in rows]


def made_since(
    connection: sqlite3.Connection, since_ms: int, after: str | None, most: int
) -> list[Attempt]:
    """At most `most` payments made at or after `since_ms`, in the order they were made, behind the payment `after`."""
    place = -1
    if after is not None:
        load(connection, after)
        place = connection.execute("SELECT rowid FROM intents WHERE id = ?", (after,)).fetchone()[0]
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM intents WHERE created_ms >= ? AND rowid > ? ORDER BY rowid LIMIT ?",
        (since_ms, place, most),
    )
    return [_attempt(row) for row in rows]


def return_url_of(connection: sqlite3.Connection, intent: str) -> str:
    """Where the buyer goes after confirming."""
    load(connection, intent)
    row = connection.execute("SELECT return_url FROM intents WHERE id = ?", (intent,)).fetchone()
    return str(row[0])


def method_of(connection: sqlite3.Connection, intent: str) -> str:
    """The method token the payment was made with."""
    return str(connection.execute("SELECT method FROM intents WHERE id = ?", (intent,)).fetchone()[0])


def _attempt(row: sqlite3.Row) -> Attempt:
    return msgspec.convert(dict(row), Attempt)


def _kept(asked: NewIntent) -> tuple[str, str, str, int]:
    return asked.reference, asked.method_token, asked.currency, asked.amount


def _check(asked: NewIntent) -> None:
    if asked.amount < 1:
        raise invalid("amount", "must be at least 1 minor unit")
    if asked.method_token not in METHODS:
        raise invalid("method_token", f"must be one of {', '.join(METHODS)}")
    if not 1 <= len(asked.reference) <= 200:
        raise invalid("reference", "must have 1 to 200 characters")
    if asked.capture != "manual":
        raise invalid("capture", "must be manual: authorise first, capture later")
    if len(asked.return_url) > 2000 or (asked.return_url and not _is_web_address(asked.return_url)):
        raise invalid("return_url", "must be an http or https address")
    if asked.method_token in CONFIRMED and not asked.return_url:
        raise invalid("return_url", f"is where the buyer comes back to, so {asked.method_token} needs it")


def _is_web_address(text: str) -> bool:
    try:
        origin = str(URL(text).origin())
    except ValueError:
        return False
    # The origin goes into the page's policy, so it may hold nothing that ends a directive.
    return text.isprintable() and " " not in text and _ORIGIN.match(origin) is not None


def _check_amount(payment: Attempt, amount: int, currency: str | None) -> None:
    if amount < 1:
        raise invalid("amount", "must be at least 1 minor unit")
    if currency is not None and currency != payment.currency:
        raise invalid("currency", f"the payment is in {payment.currency}")


def _code(code: str) -> list[dict[str, str]]:
    return [{"code": code}]
