"""The commands as someone at a shell meets them, while the system runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from livesale.cli import cli
from tests.contract.test_orders import order_state
from tests.support.system import Api, System, livesale

FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>Shop</title><link>http://shop.example/</link><description>Things</description>
<item><g:id>a1</g:id><title>Pan</title><link>http://shop.example/a1</link><description>A pan</description>
<g:price>19.99 EUR</g:price><g:availability>in_stock</g:availability><g:quantity>7</g:quantity>
<g:image_link>http://127.0.0.1:9/none.jpg</g:image_link></item>
<item><g:id>a2</g:id><title>Pot</title><link>http://shop.example/a2</link><description>A pot</description>
<g:price>a lot</g:price><g:availability>in_stock</g:availability></item>
<item><g:id>a3</g:id><title>Lid</title><link>http://shop.example/a3</link><description>A lid</description>
<g:price>5.00 EUR</g:price><g:availability>in_stock</g:availability></item>
</channel></rss>"""


def feed_file(folder: Path) -> Path:
    """FEED in a file."""
    path = folder / "feed.xml"
    path.write_text(FEED)
    return path


def complaint(*arguments: str, code: int, data: Path | None = None) -> str:
    """What a command says on stderr when it exits with `code`: never a traceback."""
    done = livesale(*arguments, env={"LIVESALE_DATA": str(data)} if data else None)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",), ("user", "add"), ("token",), ("show", "verify"), ("up", "--port", "many"),
        ("user", "add", "--email", "a@b.example", "--name", "A", "--role", "king", "--born", "1990-01-01", "--country", "DE"),
        ("user", "add", "--email", "a@b.example", "--name", "A", "--role", "host", "--born", "May", "--country", "DE"),
        ("guardian", "link", "a@b.example", "c@d.example"), ("feed", "import", "x.xml"), ("up", "--no-such"),
    ],
)  # fmt: skip
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    """Wrong usage exits 2 and says what is wrong."""
    done = CliRunner().invoke(cli, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error:" in done.stderr


def test_every_command_has_help_with_an_example() -> None:
    """`--help` exits 0 and shows an example."""
    for command in ("up", "user add", "token", "guardian link", "feed import", "show verify", "doctor", "web", "bench orders"):
        done = CliRunner().invoke(cli, [*command.split(), "--help"])
        assert done.exit_code == 0, done.stderr
        assert "Example" in done.stdout


def test_mistakes_are_one_line(system: System, tmp_path: Path) -> None:
    """An unknown account, file or show, a taken address: exit 1 and one line on stderr."""
    for arguments in (
        ("token", "nobody@test.example"),
        ("guardian", "link", "nobody@test.example", "guardian@demo.example", "--verified"),
        ("guardian", "link", "minor@demo.example", "minor@demo.example", "--verified"),
        ("feed", "import", str(tmp_path / "none.xml"), "--shop", "demo2"),
        ("feed", "import", "http://127.0.0.1:9/feed.xml", "--shop", "demo2"),
        ("user", "add", "--email", "host@demo.example", "--name", "H", "--role", "host", "--born", "1990-01-01", "--country", "DE"),
        ("show", "verify", "aaaaaaaaaa"),
    ):  # fmt: skip
        said = complaint(*arguments, code=1, data=system.data)
        assert len(said.strip().splitlines()) == 1, (arguments, said)


def test_a_data_folder_that_is_none(tmp_path: Path) -> None:
    """Without a system, commands say so in one line."""
    for arguments in (("token", "a@b.example"), ("show", "verify", "aaaaaaaaaa")):
        said = complaint(*arguments, code=1, data=tmp_path / "none")
        assert len(said.strip().splitlines()) == 1, said


def test_a_second_up_says_who_holds_the_folder(system: System) -> None:
    """`up` on a folder in use exits 1 with one line."""
    said = complaint("up", "--data", str(system.data), "--port", "0", code=1)
    assert len(said.strip().splitlines()) == 1, said


def test_a_feed_is_imported_and_sold_at_once(system: System, tmp_path: Path) -> None:
    """Good rows are products when the command ends, bad ones are named, and the owner can sell them."""
    _, owner = system.new_buyer(role="host")
    feed = feed_file(tmp_path)
    done = system.cli("feed", "import", str(feed), "--shop", "kitchen", "--owner", owner)
    assert done.returncode == 0, done.stderr
    assert "imported 2, updated 0, removed 0, rejected 1" in done.stdout
    assert "price" in done.stdout.splitlines()[1]
    assert "line 6" in done.stdout
    products = {one["title"]: one for one in system.anyone.did("GET", "/products?shop=kitchen")["items"]}
    assert products["Pan"]["quantity"] == 7
    assert products["Lid"]["quantity"] is None
    host = system.api(owner)
    show = host.did("POST", "/shows", {"title": "Kitchen", "shop": "kitchen", "currency": "EUR"})["id"]
    for title in ("Pan", "Lid"):
        body = {"product": products[title]["id"], "price": products[title]["price"], "quantity": 3}
        offer = host.did("POST", f"/shows/{show}/offers", body)
    host.did("POST", f"/shows/{show}/start")
    assert system.api("adult").hold(show, offer["id"]).status == 201
    again = system.cli("feed", "import", str(feed), "--shop", "kitchen")
    assert "imported 0, updated 2" in again.stdout


def test_a_feed_with_nothing_good_is_1(system: System, tmp_path: Path) -> None:
    """Exit 1 only when nothing could be imported; a file that is no feed too."""
    feed = tmp_path / "bad.xml"
    feed.write_text(FEED.replace("19.99 EUR", "no").replace("5.00 EUR", "no"))
    done = system.cli("feed", "import", str(feed), "--shop", "empty")
    assert done.returncode == 1
    assert "rejected 3" in done.stdout
    feed.write_text("not xml")
    done = system.cli("feed", "import", str(feed), "--shop", "empty")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_feed_over_http_reports_the_same(system: System, tmp_path: Path) -> None:
    """`POST /shops/{shop}/feed` gives the same report, to the shop's host only."""
    _, owner = system.new_buyer(role="host")
    xml = {"Content-Type": "application/xml"}
    for who in (owner, "adult"):
        assert system.api(who).call("POST", "/shops/demo/feed", raw=FEED.encode(), headers=xml).status == 403
    made = system.cli("feed", "import", str(feed_file(tmp_path)), "--shop", "overhttp", "--owner", owner)
    assert made.returncode == 0, made.stderr
    answer = system.api(owner).call("POST", "/shops/overhttp/feed", raw=FEED.encode(), headers=xml)
    assert answer.status == 200, answer.body
    assert (answer["imported"], answer["updated"], answer["removed"]) == (0, 2, 0)
    assert [(row["line"], row["field"]) for row in answer["rejected"]] == [(6, "price")]


def test_verify_agrees_on_a_live_show(system: System) -> None:
    """`show verify` derives everything again and exits 0, on a show that is live and has every kind of order."""
    show = system.new_show("Verify", {"quantity": 30, "amount": 500})
    offer = show["offers"][0]["id"]
    adult, minor = system.api("adult"), system.api("minor")
    paid = adult.hold(show["id"], offer, 2).body
    adult.check_out(paid)
    order_state(system, "adult", paid["id"], "paid")
    failed = adult.hold(show["id"], offer).body
    adult.check_out(failed, "pm_declined")
    adult.did("POST", f"/orders/{adult.hold(show['id'], offer)['id']}/cancel")
    adult.hold(show["id"], offer)
    minor.check_out(minor.hold(show["id"], offer).body, None)
    order_state(system, "adult", failed["id"], "payment_failed")
    done = system.cli("show", "verify", show["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    system.api("host").did("POST", f"/shows/{show['id']}/end")
    done = system.cli("show", "verify", show["id"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_settings_say_where_they_come_from() -> None:
    """A variable wins, and no secret is printed."""
    done = livesale("settings", env={"LIVESALE_PORT": "9123"})
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("port = 9123") and "LIVESALE_PORT" in line for line in done.stdout.splitlines())


def test_an_account_and_its_token(system: System) -> None:
    """`user add` prints the new account's id alone, `token` its token; --fresh counts as a step-up, not with --days."""
    said = ("--email", "ada@command.example", "--name", "Ada", "--role", "viewer", "--born", "1990-01-01", "--country", "DE")
    added = system.cli("user", "add", *said)
    assert added.returncode == 0, added.stderr
    for more, exported in (((), 403), (("--fresh",), 200)):
        done = system.cli("token", "ada@command.example", *more)
        assert done.returncode == 0, done.stderr
        (token,) = done.stdout.split()
        ada = Api(system.url, token)
        assert ada.did("GET", "/me")["id"] == added.stdout.strip()
        assert ada.get("/me/export").status == exported
    complaint("token", "adult@demo.example", "--fresh", "--days", "3", code=2, data=system.data)
