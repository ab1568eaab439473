"""The feed reader: good rows become products, bad rows say where and why, and nothing else ever comes out."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livesale.catalog.feed import MAX_FEED_BYTES, FeedReport, read_feed
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n'
TAIL = "</channel>\n</rss>\n"
GOOD = {"g:id": "A1", "title": "Pan", "link": "https://shop.example/a1", "g:price": "19.99 EUR"}


def item(**changed: str | None) -> str:
    """One item on one line; `g_price=None` leaves the field out."""
    fields = {**GOOD, **{name.replace("g_", "g:", 1): value for name, value in changed.items()}}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value is not None)
    return f"<item>{inner}</item>\n"


def read(*items: str) -> FeedReport:
    return read_feed((HEAD + "".join(items) + TAIL).encode())


def only_reason(*items: str) -> tuple[int, str, str]:
    (row,) = read(*items).rejected
    return row.line, row.field, row.reason


def test_a_row_becomes_a_product() -> None:
    """Every field of the specification we use arrives as stated, sums exact in minor units."""
    report = read(
        item(
            description="Round &amp; <![CDATA[<b>heavy</b>]]>",
            g_image_link="/pictures/demo/A1.webp",
            g_sale_price="14.50 EUR",
            g_availability="in stock",
            g_quantity="120",
            g_gtin="4006381333931",
            g_brand="Feuerstelle",
            g_condition="new",
            g_product_type="Kitchen &gt; Pans",
        )
    )
    (product,) = report.products
    assert (product.sku, product.title, product.price) == ("A1", "Pan", Money(1999, "EUR"))
    assert (product.sale_price, product.quantity, product.brand) == (Money(1450, "EUR"), 120, "Feuerstelle")
    assert product.description == "Round & <b>heavy</b>"
    assert (product.availability, product.category, product.age_gate) == ("in_stock", "Kitchen > Pans", None)
    assert report.rejected == []


def test_plain_and_google_fields_are_the_same() -> None:
    """Fields may come plain or with Google's prefix; Google's wins where both are given."""
    plain = item(**{"g_id": None, "g_price": None, "id": "P1", "price": "5 EUR", "quantity": "3"})
    assert read(plain).products[0].quantity == 3
    both = item(g_title="Skillet", price="1.00 EUR")
    assert (read(both).products[0].title, read(both).products[0].price.amount) == ("Skillet", 1999)


def test_a_row_without_quantity_is_untracked() -> None:
    """No quantity is no count; but what is stated to be out of stock is none, not endless."""
    assert read(item()).products[0].quantity is None
    assert read(item(g_availability="out_of_stock")).products[0].quantity == 0
    assert read(item(g_quantity="0")).products[0].quantity == 0


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("19.99 EUR", 1999, "EUR"),
        ("19 EUR", 1900, "EUR"),
        ("0.1 EUR", 10, "EUR"),
        ("19.990 EUR", 1999, "EUR"),
        ("1200 JPY", 1200, "JPY"),
        ("1200.00 JPY", 1200, "JPY"),
        ("1.234 KWD", 1234, "KWD"),
        (" 5.00 eur ", 500, "EUR"),
        ("0.29 EUR", 29, "EUR"),
        ("10000000000.00 EUR", 10**12, "EUR"),
    ],
)
def test_money_is_exact(text: str, minor: int, currency: str) -> None:
    """A price is read digit by digit, in the decimals of its currency."""
    assert read(item(g_price=text)).products[0].price == Money(minor, currency)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"g_id": None}, "id"),
        ({"g_id": " "}, "id"),
        ({"g_id": "x" * 51}, "id"),
        ({"title": None}, "title"),
        ({"title": "x" * 151}, "title"),
        ({"g_price": None}, "price"),
        ({"g_price": ""}, "price"),
        ({"g_price": "19,99 EUR"}, "price"),
        ({"g_price": "19.99"}, "price"),
        ({"g_price": "EUR"}, "price"),
        ({"g_price": "-1 EUR"}, "price"),
        ({"g_price": "0 EUR"}, "price"),
        ({"g_price": "19.999 EUR"}, "price"),
        ({"g_price": "1.5 JPY"}, "price"),
        ({"g_price": "5 EUX"}, "price"),
        ({"g_price": "1e3 EUR"}, "price"),
        ({"g_price": "٥ EUR"}, "price"),
        ({"g_price": "10000000000.01 EUR"}, "price"),
        ({"g_price": "9" * 5000 + " EUR"}, "price"),
        ({"g_sale_price": "20 EUR"}, "sale_price"),
        ({"g_sale_price": "5 USD"}, "sale_price"),
        ({"g_sale_price": "cheap"}, "sale_price"),
        ({"g_quantity": "-1"}, "quantity"),
        ({"g_quantity": "1.5"}, "quantity"),
        ({"g_quantity": "many"}, "quantity"),
        ({"g_quantity": "9" * 5000}, "quantity"),
        ({"g_availability": "maybe"}, "availability"),
        ({"g_condition": "broken"}, "condition"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"g_image_link": "data:image/png;base64,AA"}, "image_link"),
        ({"g_image_link": "//elsewhere.example/x.png"}, "image_link"),
        ({"g_minimum_age": "17"}, "minimum_age"),
        ({"g_tax_category": "books"}, "tax_category"),
        ({"description": "x" * 5001}, "description"),
    ],
)
def test_a_bad_row_is_named_and_the_others_kept(changed: dict[str, str | None], field: str) -> None:
    """A rejected row tells its line, its id and the field at fault, and costs no other row."""
    report = read(item(g_id="first"), item(**changed), item(g_id="last"))
    assert [product.sku for product in report.products] == ["first", "last"]
    (row,) = report.rejected
    assert (row.line, row.field) == (5, field)
    assert row.reason
    assert row.id == ("" if field == "id" and changed["g_id"] != "x" * 51 else row.id)


def test_a_product_has_a_class_of_vat() -> None:
    """`standard` unless the feed says `reduced` or `zero`."""
    wanted = [("", "standard"), ("Reduced", "reduced"), ("zero", "zero")]
    report = read(*(item(g_id=f"t{place}", g_tax_category=text or None) for place, (text, _) in enumerate(wanted)))
    assert [one.tax for one in report.products] == [tax for _, tax in wanted]


def test_a_repeated_id_is_rejected() -> None:
    """The first row of an id stands; later ones say which line has it."""
    line, field, reason = only_reason(item(), item(title="Other"))
    assert (line, field) == (5, "id")
    assert "line 4" in reason


def test_only_the_items_own_fields_count() -> None:
    """A price inside g:shipping, and another namespace's price, are not the product's."""
    shipping = "<g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>"
    foreign = '<c:price xmlns:c="urn:other">1.00 EUR</c:price>'
    row = item().replace("<g:id>", f"{shipping}{foreign}<g:id>")
    assert read(row).products[0].price.amount == 1999


@pytest.mark.parametrize(
    ("changed", "gate"),
    [
        ({"g_product_type": "Drinks &gt; Spirits"}, 18),
        (
            {
                "g_product_type": "Drinks",
                "g_google_product_category": "Food &gt; Alcoholic Beverages &gt; Wine",
            },
            16,
        ),
        (
            {"g_google_product_category": "Food &gt; Alcoholic Beverages &gt; Liquor &amp; Spirits &gt; Rum"},
            18,
        ),
        ({"g_minimum_age": "16"}, 16),
        ({"g_minimum_age": "18+", "g_product_type": "Beer"}, 18),
        ({"g_minimum_age": "16", "g_adult": "yes"}, 18),
        ({"g_product_type": "Wine Glasses"}, None),
    ],
)
def test_what_is_only_for_grown_ups_is_gated(changed: dict[str, str], gate: int | None) -> None:
    """The strictest of stated age, adult flag and category decides; a wine glass is no wine."""
    assert read(item(**changed)).products[0].age_gate == gate


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b"<html><body/></html>",
        b"<feed xmlns='http://www.w3.org/2005/Atom'/>",
        b"<rss version='2.0'/>",
        (HEAD + item()).encode(),
        (HEAD + "<item><g:id>1</item>" + TAIL).encode(),
        b"<rss><channel><item><g:id>1</g:id></item></channel></rss>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="no-such"?><rss><channel/></rss>',
        b'<?xml version="1.0" encoding="utf-7"?><rss><channel/></rss>',
        b'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>',
        b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel>&x;</channel></rss>',
        b'<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]><rss><channel/></rss>',
        b"<rss><channel>\x00</channel></rss>",
    ],
)
def test_a_document_that_is_no_feed_is_refused_whole(document: bytes) -> None:
    """Malformed, cut short, of another kind or with entities: one refusal, with a line, and nothing
    imported.
    """
    with pytest.raises(Refusal) as refused:
        read_feed(document)
    assert refused.value.code == "malformed"
    assert "line" in refused.value.errors[0]


def test_a_huge_file_is_refused_unread() -> None:
    """A feed's size is bounded."""
    with pytest.raises(Refusal) as refused:
        read_feed(b" " * (MAX_FEED_BYTES + 1))
    assert refused.value.code == "too_large"


def test_depth_and_length_are_harmless() -> None:
    """A million open elements and a field of megabytes end as a report or a refusal, within memory."""
    with pytest.raises(Refusal):
        read_feed(b"<rss><channel>" + b"<a>" * 1_000_000)
    assert only_reason(item(description="x" * 5_000_000))[1] == "description"


def test_other_encodings_are_read() -> None:
    """A feed may state another encoding than UTF-8."""
    text = (HEAD + item(title="Kännchen") + TAIL).replace("UTF-8", "ISO-8859-1")
    assert read_feed(text.encode("iso-8859-1")).products[0].title == "Kännchen"
    utf16 = (HEAD + item(title="Kännchen") + TAIL).replace("UTF-8", "UTF-16")
    assert read_feed(utf16.encode("utf-16")).products[0].title == "Kännchen"


TAGS = [
    "<item>",
    "</item>",
    "<g:id>",
    "</g:id>",
    "<g:price>",
    "</g:price>",
    "<title>",
    "</title>",
    "<channel>",
    "</channel>",
]
ODDITIES = [
    "19.99 EUR",
    "A",
    "&amp;",
    "&nope;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x ?>",
    "\x00",
    "<",
    ">",
    "é",
]
FRAGMENTS = st.sampled_from([*TAGS, *ODDITIES])


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(FRAGMENTS, max_size=40).map(lambda p: (HEAD + "".join(p) + TAIL).encode()),
    )
)
@example(b"\xef\xbb\xbf")
@example(b'<?xml version="1.0" encoding="idna"?><rss/>')
@example(b'<?xml version="1.0" encoding="undefined"?><rss/>')
def test_any_bytes_are_a_report_or_a_refusal(data: bytes) -> None:
    """Whatever is sent, the reader answers with a report or one of its two refusals."""
    outcome = report_or_code(data)
    if isinstance(outcome, FeedReport):
        assert all(product.sku and product.price.amount > 0 for product in outcome.products)
    else:
        assert outcome in ("malformed", "too_large")


def report_or_code(data: bytes) -> FeedReport | str:
    try:
        return read_feed(data)
    except Refusal as refused:
        return refused.code


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["g_id", "title", "g_price", "g_quantity", "g_sale_price", "link"]),
        st.text(max_size=30),
    )
)
def test_any_field_text_is_a_product_or_a_rejection(changed: dict[str, str]) -> None:
    """Every row is counted exactly once: as a product or as rejected."""
    clean = {k: escape("".join(c for c in v if c.isprintable())) for k, v in changed.items()}
    report = read(item(**clean))
    assert len(report.products) + len(report.rejected) == 1
