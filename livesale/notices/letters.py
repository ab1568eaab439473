"""Letters: what a mail says of an order, as plain text and as HTML with the same words and links. Pure.

Law: whatever people wrote (names, titles, addresses) is one line of harmless text here: control characters and line ends
become blanks, so nothing anybody typed can end a header, forge a line or turn the reading direction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from livesale.kernel.events import Event
from livesale.kernel.money import minor_digits
from livesale.notices.words import LABELS, LEADS, SUBJECTS, Language, language_of
from livesale.orders.model import Line, Order
from livesale.orders.pricing import shares

ZONES = {"DE": "Europe/Berlin", "AT": "Europe/Vienna", "CH": "Europe/Zurich"}
NUMBER_CHARACTERS = 6  # of an order's id, enough to tell one person's orders apart in a subject

PAGE = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="margin:0;background:#faf7f2;color:#1c1917;font:16px/1.5 system-ui,sans-serif">'
    '<div style="max-width:36rem;margin:0 auto;padding:24px">{body}</div></body></html>'
)
_SMALL = ' style="color:#57534e;font-size:14px"'


@dataclass(frozen=True, slots=True)
class Facts:
    """What a mail tells, opened for this one sending: `reader`, `buyer` and `by` (who declared it) are names, times are ms.

    `is_buyer`: whether the reader is the buyer; else it is a guardian of the buyer, who has a page of their own.
    """

    kind: str
    event: Event
    order: Order
    at: int
    country: str
    is_buyer: bool
    reader: str
    buyer: str
    by: str
    seller: str
    ship_to: Mapping[str, str]
    expires_at: int
    origin: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject, its two forms and its language."""

    subject: str
    text: str
    html: str
    language: Language


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class _Heading:
    text: str


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Link:
    label: str
    url: str


_Part = _Text | _Heading | _Rows | _Link


def letter(facts: Facts) -> Letter:
    """The mail of these facts, in the language of its reader's country."""
    language = language_of(facts.country)
    words = _Words(facts, language)
    subject = SUBJECTS[language][facts.kind].format(number=number(facts.order.id))
    parts = [words.hello(), _Text(words.lead()), *_BODIES[facts.kind](words), words.footer()]
    text = "\n\n".join(_plain(part) for part in parts) + "\n"
    html = PAGE.format(language=language, title=escape(subject), body="".join(_html(part) for part in parts))
    return Letter(subject, text, html, language)


def number(order_id: str) -> str:
    """An order's id as short as people say it."""
    return order_id[-NUMBER_CHARACTERS:].upper()


def one_line(text: str) -> str:
    """`text` on one line, without characters that control anything."""
    plain = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text)
    return " ".join(plain.split())


def money(amount: int, currency: str, language: Language) -> str:
    """`1.234,56 EUR`, or in English `EUR 1,234.56`."""
    digits = minor_digits(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    figure = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    sign = "-" if amount < 0 else ""
    if language == "de":
        return f"{sign}{figure.translate(str.maketrans(',.', '.,'))} {currency}"
    return f"{currency} {sign}{figure}"


def when(at_ms: int, country: str, language: Language) -> str:
    """The time to the second at the reader's place, with its zone; UTC where we do not know it."""
    zone = ZoneInfo(ZONES[country]) if country in ZONES else UTC
    moment = datetime.fromtimestamp(at_ms // 1000, zone)
    return moment.strftime("%d.%m.%Y, %H:%M:%S Uhr (%Z)" if language == "de" else "%Y-%m-%d, %H:%M:%S (%Z)")


class _Words:
    """The parts mails are made of, in one language."""

    def __init__(self, facts: Facts, language: Language) -> None:
        self.facts = facts
        self._language = language
        self._labels = LABELS[language]

    def hello(self) -> _Text:
        name = one_line(self.facts.reader)
        return _Text(self._labels["hello"].format(name=name) if name else self._labels["hello_nobody"])

    def lead(self) -> str:
        facts = self.facts
        own = facts.is_buyer or facts.kind != "paid"
        said = LEADS[self._language][facts.kind if own else "paid_by_guardian"]
        amount = self._money(facts.event.get("amount", 0))
        return said.format(buyer=one_line(facts.buyer), amount=amount, at=self._when(facts.event.get("at", facts.at)))

    def goods(self) -> _Rows:
        """The lines of the fact, or of the order where the fact names none."""
        each = self._labels["each"]
        rows = []
        for line, quantity in _lines(self.facts):
            total, price = self._money(line.price * quantity), self._money(line.price)
            rows.append((f"{quantity} × {one_line(line.title)}", each.format(sum=total, price=price)))
        return _Rows(rows)

    def total(self) -> _Rows:
        """What the order costs beside its lines, in all, and how much of that is VAT."""
        order, taxed = self.facts.order, shares(self.facts.order)
        rows = []
        if order.coupon:
            off = self._money(-order.coupon.amount)
            rows.append((self._labels["discount"].format(code=order.coupon.code), off))
        rows.append(self._row("shipping", self._money(order.shipping)))
        has_none = bool(taxed) and not any(share.amount.amount for share in taxed)
        rows.append(self._row("total_untaxed" if has_none else "total", self._money(order.total)))
        for share in taxed:
            if share.amount.amount:
                rate = share.rate.replace(".", ",") if self._language == "de" else share.rate
                rows.append((self._labels["vat"].format(rate=rate), self._money(share.amount.amount)))
        return _Rows(rows)

    def seller(self) -> tuple[str, str]:
        return self._row("seller", one_line(self.facts.seller))

    def number(self) -> tuple[str, str]:
        return self._row("order", self.facts.order.id)

    def paid_at(self) -> tuple[str, str]:
        return self._row("at", self._when(self.facts.at))

    def ship_to(self) -> tuple[str, str]:
        told = self.facts.ship_to
        town = f"{told.get('postal_code', '')} {told.get('city', '')}"
        parts = (told.get("name", ""), told.get("street", ""), town, told.get("country", ""))
        return self._row("ship_to", ", ".join(part for part in map(one_line, parts) if part))

    def declaration(self) -> _Rows:
        rows = [self._row("declared", self._labels["withdraws"]), self.number()]
        return _Rows([*rows, self._row("declared_by", one_line(self.facts.by))])

    def until(self) -> _Text:
        return _Text(self._labels["undecided"].format(until=self._when(self.facts.expires_at)))

    def to_be_answered(self) -> _Text:
        return _Text(self._labels["unanswered"].format(until=self._when(self.facts.expires_at)))

    def right(self) -> list[_Part]:
        """The right of withdrawal in short (EGBGB Art. 246a § 1 (2)), and where to use it."""
        return [
            _Heading(self._labels["right"]), _Text(self._labels["right_text"]),
            _Link(self._labels["withdraw"], self._url()),
        ]  # fmt: skip

    def to_order(self) -> _Link:
        return _Link(self._labels["see_order"], self._url())

    def turn(self) -> _Text:
        return _Text(self._labels["turn"].format(until=self._when(self.facts.expires_at)))

    def to_show(self) -> _Link:
        show = self.facts.order.shelf.partition(":")[2]
        return _Link(self._labels["see_show"], f"{self.facts.origin}/watch/{show}")

    def to_request(self) -> _Link:
        return _Link(self._labels["see_request"], self._url())

    def to_question(self) -> _Link:
        """The page where it is answered, for whoever's question it is."""
        return _Link(self._labels["see_request"], f"{self.facts.origin}/guardian/{self.facts.order.approval}")

    def footer(self) -> _Text:
        return _Text(self._labels["footer"].format(origin=self.facts.origin), small=True)

    def _url(self) -> str:
        """The order's page, or for a guardian the request's."""
        order = self.facts.order
        page = f"orders/{order.id}" if self.facts.is_buyer else f"guardian/{order.approval}"
        return f"{self.facts.origin}/{page}"

    def _row(self, label: str, value: str) -> tuple[str, str]:
        return self._labels[label], value

    def _money(self, amount: int) -> str:
        return money(amount, self.facts.order.currency, self._language)

    def _when(self, at_ms: int) -> str:
        return when(at_ms, self.facts.country, self._language)


def _lines(facts: Facts) -> list[tuple[Line, int]]:
    """The order's lines the fact is about, with how many units of each."""
    told = {line["offer"]: line["quantity"] for line in facts.event.get("lines") or ()}
    return [(line, told.get(line.offer, line.quantity)) for line in facts.order.lines if not told or line.offer in told]


def _confirmation(words: _Words) -> list[_Part]:
    details = _Rows([words.number(), words.paid_at(), words.seller(), words.ship_to()])
    return [words.goods(), words.total(), details, words.to_order(), *words.right()]


def _of_order(words: _Words) -> list[_Part]:
    return [words.goods(), _Rows([words.number(), words.seller()]), words.to_order()]


def _shipped(words: _Words) -> list[_Part]:
    return [words.goods(), _Rows([words.number(), words.seller(), words.ship_to()]), words.to_order(), *words.right()]


def _refunded(words: _Words) -> list[_Part]:
    """A sum that is given back for no goods in particular names none."""
    goods = [words.goods()] if words.facts.event.get("lines") else []
    return [*goods, _Rows([words.number(), words.seller()]), words.to_order()]


def _withdrawal(words: _Words) -> list[_Part]:
    return [words.declaration(), words.goods(), words.to_order()]


def _asked(words: _Words) -> list[_Part]:
    return [words.goods(), words.total(), _Rows([words.seller()]), words.until(), words.to_request()]


def _decided(words: _Words) -> list[_Part]:
    return [words.goods(), words.total(), _Rows([words.seller()]), words.to_request()]


def _question(words: _Words) -> list[_Part]:
    details = _Rows([words.number(), words.seller()])
    return [words.goods(), words.total(), details, words.to_be_answered(), words.to_question()]


def _offered(words: _Words) -> list[_Part]:
    return [words.goods(), _Rows([words.seller()]), words.turn(), words.to_show()]


_BODIES: dict[str, Callable[[_Words], list[_Part]]] = {
    "paid": _confirmation,
    "payment_failed": _of_order,
    "cancelled": _of_order,
    "late_payment": _of_order,
    "shipped": _shipped,
    "refunded": _refunded,
    "withdrawal": _withdrawal,
    "request": _asked,
    "confirm": _decided,
    "request_approved": _decided,
    "request_declined": _decided,
    "request_expired": _decided,
    "request_void": _decided,
    "request_superseded": _decided,
    "request_revoked": _decided,
    "request_lapsed": _decided,
    "superseded": _of_order,
    "revoked": _of_order,
    "lapsed": _of_order,
    "waitlist_offered": _offered,
    "approved": _of_order,
    "declined": _of_order,
    "expired": _of_order,
    "ratify": _question,
    "handed": _question,
    "asked": _of_order,
    **{f"request_{state}": _decided for state in ("ratified", "refused", "silent")},
    **{state: _of_order for state in ("ratified", "refused", "silent")},
}


def _plain(part: _Part) -> str:
    match part:
        case _Rows(rows):
            return "\n".join(f"{label}: {value}" for label, value in rows)
        case _Link(label, url):
            return f"{label}:\n{url}"
        case _Text(text) | _Heading(text):
            return text


def _html(part: _Part) -> str:
    match part:
        case _Rows(rows):
            cells = "".join(
                f'<tr><td style="padding:4px 16px 4px 0;vertical-align:top">{escape(label)}</td>'
                f'<td style="padding:4px 0">{escape(value)}</td></tr>'
                for label, value in rows
            )
            return f'<table style="border-collapse:collapse;margin:0 0 16px">{cells}</table>'
        case _Link(label, url):
            return f'<p><a href="{escape(url)}" style="color:#0f5e5a">{escape(label)}</a></p>'
        case _Heading(text):
            return f'<h2 style="font-size:16px;margin:24px 0 4px">{escape(text)}</h2>'
        case _Text(text, small):
            return f"<p{_SMALL if small else ''}>{escape(text)}</p>"
