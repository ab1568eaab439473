"""What mails say: both languages, both forms, the same words and links; nothing people typed can break a line."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesale.notices.letters import Facts, letter, money, one_line, when
from livesale.notices.message import Unmailable, address, message
from livesale.notices.model import Mail
from livesale.notices.words import LABELS, LEADS, SUBJECTS
from livesale.orders.model import Applied, Line, Order
from tests.notices.conftest import parsed, part

AT = 1_795_801_327_456  # 2026-11-27 18:42:07 in Berlin
ORIGIN = "https://live.example"
ORDER = Order(
    "o_s4k2c_9fk2xa", "show:4k2c", "demo", "ann",
    [Line("of_1", "p_1", "Teekanne", "", 2, 1999, vat=1900), Line("of_2", "p_2", "Sieb", "", 1, 500, vat=700)],
    4988, "EUR", 0, 0, approval="ap_s4k2c_77", country="DE", shipping=490,
)  # fmt: skip
SHIP_TO = {"name": "Ann Ah", "street": "Weg 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
PARTIES = (address("ann@example.org"), address("shop@example.org"))
KINDS = sorted(SUBJECTS["de"])


def facts(kind: str = "paid", country: str = "DE", **fields: Any) -> Facts:
    event: dict[str, Any] = {"approval": "ap_s4k2c_77", "amount": 1999, "currency": "EUR", "at": AT}
    if kind == "refunded":
        event["lines"] = [{"offer": "of_1", "quantity": 1}]
    told = Facts(
        kind, event, ORDER, AT, country, True, "Ann Ah", "Ann Ah", "Ann Ah", "demo (Hanna)", SHIP_TO, AT, ORIGIN
    )
    return replace(told, **fields)


def with_title(title: str) -> Order:
    return msgspec.structs.replace(ORDER, lines=[msgspec.structs.replace(ORDER.lines[0], title=title)])


class Reading(HTMLParser):
    """An HTML part's words, its tags, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def test_both_languages_say_everything() -> None:
    """No word is missing in either language."""
    for table in (SUBJECTS, LEADS, LABELS):
        assert set(table["de"]) == set(table["en"])
        assert all(text for texts in table.values() for text in texts.values())


@pytest.mark.parametrize("country", ["DE", "SE"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_can_be_written(kind: str, country: str) -> None:
    """Every kind, to the buyer and to a guardian: a subject without product, person or sum, and one link that is ours."""
    for is_buyer in (True, False):
        made = letter(facts(kind, country, is_buyer=is_buyer))
        assert made.language == ("de" if country == "DE" else "en")
        assert not any(word in made.subject for word in ("Teekanne", "Ann", "EUR", "{", "demo"))
        page = f"{ORIGIN}/orders/{ORDER.id}" if is_buyer and kind not in ("ratify", "handed") else f"{ORIGIN}/guardian/ap_s4k2c_77"
        if kind == "waitlist_offered":
            page = f"{ORIGIN}/watch/4k2c"
        assert page in made.text
        assert set(Reading(made.html).links) == {page}
        assert "Teekanne" in made.text
        assert "{" not in made.text


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_say_the_same(kind: str) -> None:
    """Every word of the plain text is in the HTML, but for the bare addresses."""
    made = letter(facts(kind))
    words = set(Reading(made.html).words)
    missing = [word for word in made.text.split() if word.rstrip(":") not in words and word not in words]
    assert [word for word in missing if not word.startswith("https://")] == []


def test_a_confirmation_is_whole() -> None:
    """Lines, prices, shipping, total with VAT, address, seller, time, order number, and the right of withdrawal."""
    text = letter(facts()).text
    for said in ("2 × Teekanne: 39,98 EUR (19,99 EUR je Stück)", "Versand: 4,90 EUR", "einschließlich Mehrwertsteuer: 49,88",
                 "Ann Ah, Weg 1, 10115 Berlin, DE", "demo (Hanna)", ORDER.id, "27.11.2026, 18:42:07", "14 Tagen"):  # fmt: skip
        assert said in text, said
    english = letter(facts(country="GB")).text
    for said in ("EUR 39.98 (EUR 19.99 each)", "Total, including VAT: EUR 49.88", "within 14 days", "17:42:07 (UTC)"):
        assert said in english, said


def test_the_guardian_who_paid_reads_so() -> None:
    """The one whose card was charged is not told that it was their own order."""
    text = letter(facts(is_buyer=False, reader="Gita", buyer="Mika")).text
    assert "Bestellung von Mika" in text
    assert "Hallo Gita" in text


def test_a_withdrawal_is_confirmed_to_the_second() -> None:
    """§ 356a BGB: what was declared, by whom, and when it arrived, to the second."""
    event = {"at": AT, "lines": [{"offer": "of_2", "quantity": 1}], "amount": 500, "currency": "EUR"}
    text = letter(facts("withdrawal", event=event, by="Gita")).text
    for said in ("27.11.2026, 18:42:07 Uhr (CET)", "Erklärt von: Gita", ORDER.id, "1 × Sieb", "Widerruf des Vertrags"):
        assert said in text, said
    assert "Teekanne" not in text


def test_prices_say_what_they_are_made_of() -> None:
    """Coupon, shipping, total and the VAT of each rate; where there is none the total says so, where nobody knows nothing."""
    coupon = Applied("cl", "TEN", 449)
    less = msgspec.structs.replace(ORDER, coupon=coupon, total=4539)
    text = letter(facts(order=less)).text
    assert "Gutschein TEN: -4,49 EUR\nVersand: 4,90 EUR\nGesamt, einschließlich Mehrwertsteuer: 45,39 EUR" in text
    assert "darin 19 % MwSt.: 6,44 EUR\ndarin 7 % MwSt.: 0,33 EUR" in text
    assert "of which 19 % VAT: EUR 6.44" in letter(facts(country="GB", order=less)).text
    for rates, said in (((0, 0), "Total, no VAT included: EUR 49.88"), ((None, None), "Total, including VAT: EUR 49.88")):
        lines = [msgspec.structs.replace(line, vat=rate) for line, rate in zip(ORDER.lines, rates, strict=True)]
        other = letter(facts(country="US", order=msgspec.structs.replace(ORDER, lines=lines))).text
        assert said in other
        assert "% VAT" not in other


def test_a_refund_names_its_goods_or_none() -> None:
    """The sum, and the goods it is for; a sum for nothing in particular lists nothing."""
    event = {"lines": [{"offer": "of_2", "quantity": 1}], "amount": 500, "currency": "EUR"}
    text = letter(facts("refunded", event=event)).text
    assert ("5,00 EUR auf dem Weg" in text, "1 × Sieb" in text, "Teekanne" in text) == (True, True, False)
    assert "×" not in letter(facts("refunded", event=event | {"lines": []})).text


def test_a_request_says_what_and_until_when() -> None:
    """Exact total, seller, end of the time to decide, and that the link alone decides nothing."""
    text = letter(facts("request", is_buyer=False, reader="Gita", buyer="Mika")).text
    for said in ("Mika fragt", "49,88 EUR", "demo (Hanna)", "18:42:07", "entscheidet nichts", "nichts abgebucht"):
        assert said in text, said


@pytest.mark.parametrize(
    ("amount", "currency", "german", "english"),
    [
        (123456, "EUR", "1.234,56 EUR", "EUR 1,234.56"),
        (5, "EUR", "0,05 EUR", "EUR 0.05"),
        (1234567, "JPY", "1.234.567 JPY", "JPY 1,234,567"),
        (1234, "KWD", "1,234 KWD", "KWD 1.234"),
    ],
)
def test_money(amount: int, currency: str, german: str, english: str) -> None:
    """Sums read as each language writes them, with the currency's own digits."""
    assert (money(amount, currency, "de"), money(amount, currency, "en")) == (german, english)


def test_times_are_the_readers() -> None:
    """Summer time where the reader is; UTC, named, where we do not know."""
    july = 1_783_000_000_000
    assert when(july, "AT", "de") == "02.07.2026, 15:46:40 Uhr (CEST)"
    assert when(july, "GB", "en") == "2026-07-02, 13:46:40 (UTC)"


@given(st.text(), st.text(), st.sampled_from(KINDS))
def test_nothing_typed_breaks_out(name: str, title: str, kind: str) -> None:
    """Names and titles of any characters: the same headers, parts, tags and links as with harmless ones."""
    harmless = facts(kind, order=with_title("Pan"))
    wild = facts(kind, order=with_title(title), reader=name or "x", buyer=name, by=name, seller=title)
    shown = letter(wild)
    assert Reading(shown.html).tags == Reading(letter(harmless).html).tags
    assert set(Reading(shown.html).links) == set(Reading(letter(harmless).html).links)
    assert len(shown.text.splitlines()) == len(letter(harmless).text.splitlines())
    mail = Mail("0" * 32, kind, "ann", AT, AT)
    read = parsed(message(shown, mail, ORDER.id, *PARTIES))
    quiet = parsed(message(letter(harmless), mail, ORDER.id, *PARTIES))
    assert read.items() == quiet.items()
    assert part(read, "plain") == shown.text
    assert part(read, "html").strip() == shown.html


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    """No control, format, surrogate or separator character is left but the blank."""
    line = one_line(text)
    assert [one for one in line if unicodedata.category(one)[0] in "CZ" and one != " "] == []


def test_a_message_is_the_same_bytes_again() -> None:
    """Two forms, mail programs' threading, no answer from holiday notes; written twice it is byte for byte the same."""
    mail = Mail("ab" * 16, "paid", "ann", AT, AT)
    written = [message(letter(facts()), mail, ORDER.id, address("ann@exämple.org"), PARTIES[1]) for _ in range(2)]
    assert written[0] == written[1]
    assert written[0].isascii()
    assert b"\n" not in written[0].replace(b"\r\n", b"")
    read = parsed(written[0])
    assert read.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in read.iter_parts()] == ["text/plain", "text/html"]
    assert read["Message-ID"] == f"<{'ab' * 16}@example.org>"
    assert read["References"] == read["In-Reply-To"] == f"<{ORDER.id}@example.org>"
    assert (read["To"], read["From"]) == ("ann@xn--exmple-cua.org", "shop@example.org")
    assert (read["Auto-Submitted"], read["Content-Language"]) == ("auto-generated", "de")
    assert str(read["Date"]) == "Fri, 27 Nov 2026 17:42:07 +0000"
    assert read["Subject"] == "Bestellung 9FK2XA ist bezahlt"


@pytest.mark.parametrize("text", ["", "@", "a@", "jörg@example.org", "a\r\nBcc: b@example.org", "a@b\r\nBcc: c@d.e"])
def test_what_is_no_address(text: str) -> None:
    """An address that could end a header, or that no server takes, is not written to."""
    with pytest.raises(Unmailable):
        address(text)
