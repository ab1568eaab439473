"""Mails over the real store and a real SMTP server: each arrives, once, whatever is away or killed meanwhile."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.ledger.verify import verify
from livesale.notices import model, postman
from livesale.notices.model import Mail
from livesale.notices.postman import Postman
from livesale.notices.transport import Envelope, Smtp, Transport
from livesale.store.decision import Decision
from livesale.store.readers import Cursor
from livesale.store.record import load
from tests.ledger.conftest import PUBLIC_KEY, Running, archived
from tests.notices.conftest import MailServer, part, until
from tests.notices.post import ORIGIN, Post, decide


async def test_a_paid_order_is_confirmed_once(post: Post, server: MailServer) -> None:
    """One mail, in both forms, with the order's link; read again from the start, the log makes no second one."""
    async with post.running(post.postman()):
        order = await post.buy("ann")
        await post.settled(1)
    await post.store.client.hdel(f"{{{post.market.shelf}}}:r", "cursor:reactions")
    async with post.running(post.postman()):
        await post.buy("bob")
        await post.settled(2)
    [mail] = server.to("ann@example.org")
    assert f"{ORIGIN}/orders/{order.id}" in part(mail, "plain")
    assert f'href="{ORIGIN}/orders/{order.id}"' in part(mail, "html")
    assert len(server.mails) == 2


async def test_each_reader_has_their_language(post: Post, server: MailServer) -> None:
    """German in Germany, Austria and Switzerland, else English."""
    post.town.countries = {"ann": "CH", "bob": "FR"}
    async with post.running(post.postman()):
        await post.buy("ann")
        await post.buy("bob")
        await post.settled(2)
    [german], [english] = server.to("ann@example.org"), server.to("bob@example.org")
    assert (german["Content-Language"], english["Content-Language"]) == ("de", "en")
    assert "Widerrufsrecht" in part(german, "plain")
    assert "Right of withdrawal" in part(english, "plain")


async def test_whose_turn_it_is_is_told(post: Post, server: MailServer) -> None:
    """The next in line reads what is set aside, until when, and where the show is; each turn is one mail."""
    market = post.market
    [offer] = market.offers
    for turn in range(1, 3):
        held = await market.hold("bob", (0, 20))
        await market.waiting.join(market.buyer("ann"), offer, 2)
        async with post.running(post.postman()):
            await market.orders.cancel(market.buyer("bob"), held.id)
            await market.waiting.advance(market.shelf, offer)
            await post.settled(turn)
        await market.waiting.leave(market.buyer("ann"), offer)
    first, second = server.to("ann@example.org")
    text = part(first, "plain")
    for said in (f"{ORIGIN}/watch/{market.shelf.removeprefix('show:')}", "2 × Pan", "an der Reihe"):
        assert said in text, said
    assert first["Message-ID"] != second["Message-ID"]


@pytest.mark.parametrize("captured", [False, True])
async def test_late_money_that_goes_back_is_told(post: Post, server: MailServer, captured: bool) -> None:
    """The order ended, the bank said yes afterwards, and all units are gone: the buyer reads that nothing is kept, and
    of a refund when the money had been taken.
    """
    market = post.market
    async with post.running(post.postman()):
        order = await market.check_out(await market.hold("ann", (0, 20)), "pm_declined")
        await market.state(order, "payment_failed")
        await market.hold("bob", (0, 20))
        payment = await market.orders.payment(order)
        assert payment
        if captured:
            market.provider.arrives(payment.provider_id, order.total)
        else:
            market.provider.passed_3ds(payment.provider_id)
        await market.payments.go_on(order.id)
        await post.settled(3 if captured else 2)
    _, late, *refunded = server.to("ann@example.org")
    assert ["Erstattung" in mail["Subject"] for mail in refunded] == [True] * captured
    assert "kam zu spät" in late["Subject"]
    assert "behalten wir das Geld nicht" in " ".join(part(late, "plain").split())
    assert "200,00 EUR" in part(late, "plain")


async def test_a_request_goes_to_every_guardian(post: Post, server: MailServer) -> None:
    """Each guardian gets the link, nobody else; the answer goes to the minor and both guardians, in one thread."""
    post.town.families["mia"] = ["gita", "gert"]
    async with post.running(post.postman()):
        order = await post.market.check_out(await post.market.hold("mia", (0, 1)))
        await post.settled(2)
        approval = await post.market.approval(order)
        for who in ("gita", "gert"):
            [asked] = server.to(f"{who}@example.org")
            assert f"{ORIGIN}/guardian/{approval.id}" in part(asked, "plain")
        await decide(post, approval.id, "declined", "gita")
        await post.settled(5)
    first, second = server.to("gita@example.org")
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    [told] = server.to("mia@example.org")
    assert "abgelehnt" in told["Subject"]


async def test_an_approved_order_is_confirmed_to_both(post: Post, server: MailServer) -> None:
    """The minor and the guardian who pays both get the contract's confirmation."""
    async with post.running(post.postman()):
        order = await post.market.check_out(await post.market.hold("mia", (0, 1)))
        await decide(post, (await post.market.approval(order)).id, "approved", "gita")
        await post.market.state(order, "paid")
        await post.settled(5)
    for who, words in (("mia", "danke für die Bestellung"), ("gita", "Bestellung von Mia")):
        confirmed = [mail for mail in server.to(f"{who}@example.org") if "ist bezahlt" in mail["Subject"]]
        assert [words in part(mail, "plain") for mail in confirmed] == [True]


async def test_what_an_allowance_agreed_to_asks_nobody(post: Post, server: MailServer) -> None:
    """No guardian is told that a request waits which has been answered in advance; they hear that it is approved."""
    order = await post.market.check_out(await post.market.hold("mia", (0, 1)))
    approval = await post.market.approval(order)
    await decide(post, approval.id, "approved", "gita", spend="sp_pmia_1")
    async with post.running(post.postman()):
        await post.market.state(order, "paid")
        await post.settled(4)
    subjects = [mail["Subject"] for mail in server.to("gita@example.org")]
    assert not [one for one in subjects if "wartet auf deine Entscheidung" in one], subjects
    assert [one for one in subjects if "genehmigt" in one]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"type": "shipment_made", "shipment": "sh_1"}, "ist unterwegs"),
        ({"type": "refund_changed", "state": "done", "refund": "re_1"}, "Erstattung"),
        ({"type": "withdrawal_changed", "state": "confirmed", "withdrawal": "wd_1"}, "Widerruf"),
    ],
)
async def test_what_comes_after_a_sale(post: Post, server: MailServer, event: dict[str, Any], words: str) -> None:
    """A shipment, a refund and a withdrawal are told as soon as they are facts."""
    async with post.running(post.postman()):
        order = await post.buy("ann")
        lines = [{"offer": order.lines[0].offer, "quantity": 1}]
        told = {
            "order": order.id,
            "owner": "ann",
            "by": "ann",
            "version": 9,
            "lines": lines,
            "amount": 1000,
            "currency": "EUR",
        }
        fact = {**event, **told, "at": post.store.now_ms()}
        await post.store.commit(Decision(post.market.shelf, events=(fact,)))
        await post.settled(2)
    assert [words in mail["Subject"] for mail in server.to("ann@example.org")].count(True) == 1


async def test_a_server_that_is_away_gets_them_later(post: Post, server: MailServer) -> None:
    """While nothing listens orders go on and mails wait, none counted as tried; then all arrive, each once."""
    await server.stop()
    async with post.running(post.postman()):
        for buyer in ("ann", "bob", "cleo"):
            await post.buy(buyer)
        await until(lambda: _is(post.count("waiting"), 3))
        await server.start()
        await post.settled(3)
    assert sorted(to for [to], _ in server.mails) == ["ann@example.org", "bob@example.org", "cleo@example.org"]
    assert {mail.attempts for mail in (await post.records()).values()} == {0}


async def _is(counting: Any, wanted: int) -> bool:
    return bool(await counting == wanted)


async def test_a_mail_put_off_does_not_hold_up_others(post: Post, server: MailServer) -> None:
    """451 three times for one address: the others arrive meanwhile, then that one does."""
    server.replies["ann@example.org"] = ["451 Later"] * 3
    async with post.running(post.postman()):
        await post.buy("ann")
        await post.buy("bob")
        await post.settled(2)
    assert [len(server.to(f"{who}@example.org")) for who in ("ann", "bob")] == [1, 1]
    attempts = {mail.to: mail.attempts for mail in (await post.records()).values()}
    assert attempts == {"ann": 3, "bob": 0}


async def test_a_refused_recipient_is_recorded(post: Post, server: MailServer) -> None:
    """550 is not tried again: the record and the operators' number say so, and hold neither address nor text."""
    server.replies["ann@example.org"] = ["550 No ann@example.org here"]
    async with post.running(post.postman()):
        await post.buy("ann")
        await until(lambda: _is(post.count("refused"), 1))
        await post.buy("bob")
        await post.settled(1)
    states = {mail.to: (mail.state, mail.code) for mail in (await post.records()).values()}
    assert states == {"ann": ("refused", 550), "bob": ("sent", 0)}


@pytest.mark.parametrize("email", ["jörg", "a\nb"])
async def test_an_address_that_is_none(post: Post, server: MailServer, email: str) -> None:
    """An account with an address no mail can go to is recorded and holds up nobody."""
    async with post.running(post.postman()):
        await post.buy(email)
        await until(lambda: _is(post.count("refused"), 1))
    assert server.mails == []


async def test_an_erased_account_gets_no_mail(post: Post, server: MailServer) -> None:
    """Whoever is gone when the mail would be written is not written to."""
    post.town.gone.add("ann")
    async with post.running(post.postman()):
        await post.buy("ann")
        await until(lambda: _is(post.count("refused"), 1))
    assert server.mails == []


async def test_a_show_with_mails_verifies(post: Post, engine: AsyncEngine, running: Running) -> None:
    """Mails' records and numbers follow from the log like everything else on the shelf."""
    post.server.replies["bob@example.org"] = ["550 No"]
    async with post.running(post.postman()), running():
        await post.buy("ann")
        await post.buy("bob")
        await until(lambda: _is(post.count("waiting"), 0))
    async with running():
        await archived(post.store, engine, post.market.shelf)
    found = await verify(post.store, engine, post.market.shelf, PUBLIC_KEY, 0)
    assert [str(one) for one in found] == []


class Killed:
    """A transport that delivers, and whose process dies before it can say so."""

    def __init__(self, delivers: Transport) -> None:
        self._delivers = delivers
        self.delivered = asyncio.Event()

    async def send(self, envelope: Envelope, data: bytes) -> None:
        await self._delivers.send(envelope, data)
        self.delivered.set()
        await asyncio.Event().wait()


async def test_a_crash_after_sending_repeats_the_same_message(
    post: Post, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between sending and recording: the next worker sends the same bytes under the same Message-ID, then no more."""
    monkeypatch.setattr(postman, "CLAIM_MS", 100)
    killed = Killed(Smtp(f"smtp://127.0.0.1:{server.port}"))
    async with post.running(post.postman(killed)):
        await post.buy("ann")
        await killed.delivered.wait()
    assert await post.count("waiting") == 1
    async with post.running(post.postman()):
        await post.settled(1)
    (_, first), (_, second) = server.mails
    assert first == second


async def test_a_crash_before_sending_loses_nothing(post: Post, server: MailServer) -> None:
    """Killed between writing down and sending: the cursor may have moved, the mail goes out all the same."""
    async with post.running():
        await post.buy("ann")
        await until(lambda: post.told)
    async with post.running(post.postman()):
        await post.settled(1)
    assert len(server.to("ann@example.org")) == 1


async def test_two_workers_send_each_mail_once(post: Post, server: MailServer) -> None:
    """Of several postmen that see the same mails, one sends each."""
    async with post.running(post.postman(), post.postman(), post.postman()):
        for number in range(12):
            await post.buy(f"b{number}")
        await post.settled(12)
    assert len(server.mails) == len({to[0] for to, _ in server.mails}) == 12


async def test_without_a_claim_they_would_send_twice(
    post: Post, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: with the claim taken off, two postmen send the same mail, under one Message-ID."""
    both = asyncio.Barrier(2)

    class Slow:
        async def send(self, envelope: Envelope, data: bytes) -> None:
            await both.wait()
            await Smtp(f"smtp://127.0.0.1:{server.port}").send(envelope, data)

    async def unclaimed(self: Postman, shelf: str, mail_id: str) -> Mail | None:
        return load(Mail, (await self._store.read(shelf, f"mail:{mail_id}"))[f"mail:{mail_id}"])

    monkeypatch.setattr(Postman, "_claim", unclaimed)
    monkeypatch.setattr(postman, "LOOK_EVERY_S", 3600)
    first, second = post.postman(Slow()), post.postman(Slow())
    async with post.running(first, second):
        await asyncio.sleep(0)
        await post.buy("ann")
        await until(lambda: _is(post.count("waiting"), 1))
        [mail] = await post.records()
        second.tell(post.market.shelf, mail.removeprefix("mail:"))
        await until(lambda: len(server.mails) == 2)
    assert server.mails[0] == server.mails[1]


async def test_nothing_personal_is_kept_or_logged(
    post: Post, server: MailServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names, addresses and texts are in the mail only: not in logs, whatever fails, and not in records or log entries."""
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []

    def said(words: str = "") -> bool:
        out = capfd.readouterr()
        heard.append(out.out + out.err)
        return words in "".join(heard)

    server.replies = {"ann@example.org": ["451 ann@example.org later", "550 no ann@example.org"], "DATA": ["451 x"]}
    post.town.names = {"ann": "Secretname", "bob": "Secretname"}

    async def broken(_shop: str) -> str:
        raise RuntimeError("Secretname of ann@example.org")

    async with post.running(post.postman()):
        await post.buy("ann")
        await until(lambda: _is(post.count("refused"), 1))
        seller, post.town.seller = post.town.seller, broken  # type: ignore[method-assign]
        await post.buy("bob")
        await until(lambda: said("cannot be written"))
        post.town.seller = seller  # type: ignore[method-assign]
        await post.settled(1)
    kept = b"".join(
        record.data for name, record in (await post.store.records(post.market.shelf)).items() if "mail" in name
    )
    kept += b"".join(
        fields[1] for _, fields in await post.store.ask("XRANGE", f"{{{post.market.shelf}}}:log", "-", "+")
    )
    said()
    heard += [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # that is the server's
    for word in ("Secretname", "@example.org", "Hallo", "Teekanne"):
        assert word not in "".join(heard)
        assert word.encode() not in kept


async def test_a_mail_is_forgotten_once_nobody_reads_its_fact_again(post: Post, server: MailServer) -> None:
    """Its record stays while a reader may come to the fact once more; then it goes, and the number of mails stays."""
    async with post.running(post.postman()):
        await post.buy("ann")
        await post.settled(1)
    [name] = await post.records()
    mail, shelf = name.removeprefix("mail:"), post.market.shelf
    await post.store.client.hdel(f"{{{shelf}}}:r", "cursor:reactions")
    await postman.forget(post.store, "reactions", shelf, mail)
    assert name in await post.records()
    due = await post.store.due(shelf, "due", post.store.now_ms() + 2 * model.FORGOTTEN_AFTER_MS)
    assert name in due
    async with post.running(post.postman()):  # from the start: the fact is read again, and finds its mail
        await until(lambda: _read_up_to(post, 1))
    await postman.forget(post.store, "reactions", shelf, mail)
    await postman.forget(post.store, "reactions", shelf, mail)
    assert await post.records() == {}
    assert name not in await post.store.due(shelf, "due", post.store.now_ms() + 2 * model.FORGOTTEN_AFTER_MS)
    assert await post.count("sent") == 1 == len(server.mails)


async def _read_up_to(post: Post, behind: int) -> bool:
    """Whether the reader's cursor is as far as it gets."""
    shelf = post.market.shelf
    cursor = load(Cursor, (await post.store.read(shelf, "cursor:reactions"))["cursor:reactions"])
    return cursor is not None and cursor.seq + behind >= await post.store.seq(shelf)
