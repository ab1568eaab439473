"""Pushes over the real store and a push service: each guardian's browsers hear of a request, once, and hear nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.pushes import Subscription, decoded
from livesale.guardians.model import Approval
from livesale.ledger.verify import verify
from livesale.notices import postman
from livesale.notices.postman import Postman
from livesale.notices.pushing import encrypted
from livesale.notices.vapid import Vapid
from livesale.notices.words import PUSHED
from tests.ledger.conftest import PUBLIC_KEY, Running, archived
from tests.notices.conftest import MailServer, until
from tests.notices.post import Post, decide
from tests.support.pushservice import Browser, PushService, check_vapid


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    made = PushService()
    yield made
    made.close()


@pytest.fixture
def browser(post: Post, service: PushService) -> Browser:
    """Gita's."""
    made = service.browser()
    post.town.browsers = {"gita": [made]}
    return made


async def asked(post: Post) -> Approval:
    """Mia has asked for something."""
    return await post.market.approval(await post.market.check_out(await post.market.hold("mia", (0, 1))))


async def ended(post: Post, **wanted: int) -> None:
    """Wait until so many pushes have ended so, and none waits."""
    names = [f"pushes:{state}" for state in ("sent", "refused", "given_up", "waiting")]
    target = {f"pushes:{state}": count for state, count in wanted.items()}

    async def there() -> bool:
        return await post.store.counters(post.market.shelf, *names) == {**dict.fromkeys(names, 0), **target}

    await until(there)


async def test_every_browser_of_a_guardian_hears_of_a_request(
    post: Post, service: PushService, browser: Browser, server: MailServer
) -> None:
    """One push each beside the mail, in the guardian's language: a Topic that is its tag, for as long as the request is open."""
    other = service.browser()
    post.town.browsers["gita"].append(other)
    post.town.countries["gita"] = "NL"
    async with post.running(post.postman()):
        approval = await asked(post)
        await ended(post, sent=2)
        await post.settled(1)
    [first], [second] = service.of(browser), service.of(other)
    assert first.said == {"text": PUSHED["en"], "language": "en", "tag": first.headers["topic"]}
    assert first.headers["topic"] != second.headers["topic"] and len(first.headers["topic"]) <= 32
    left_s = (approval.expires_at - approval.requested_at) // 1000
    assert 0 < int(first.headers["ttl"]) <= left_s
    assert first.headers["content-encoding"] == "aes128gcm"
    assert len(server.to("gita@example.org")) == 1


async def test_it_tells_nothing(post: Post, service: PushService, browser: Browser) -> None:
    """Names, what was asked for, its price, the shop and the minor are in no push and none of its headers."""
    post.town.names = {"mia": "Miamarker", "gita": "Gitamarker"}
    async with post.running(post.postman()):
        approval = await asked(post)
        await ended(post, sent=1)
    [pushed] = service.of(browser)
    told = str((pushed.said, pushed.headers))
    order = await post.market.orders.load(approval.order)
    secrets = ["marker", "mia", "gita", approval.id, order.id, order.shop, order.lines[0].title, str(order.total), "10,00"]
    assert [one for one in secrets if one in told] == []


async def test_nobody_else_is_pushed_anything(post: Post, service: PushService, browser: Browser) -> None:
    """The minor's own browser and a buyer's stay silent, whatever happens to their orders."""
    post.town.browsers |= {"mia": [service.browser()], "ann": [service.browser()]}
    async with post.running(post.postman()):
        await post.buy("ann")
        await decide(post, (await asked(post)).id, "declined", "gita")
        await post.settled(4)
    assert {one.endpoint for one in service.pushed} <= {browser.endpoint}


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    post: Post, service: PushService, browser: Browser, status: int
) -> None:
    """Its service knows it no more: the subscription goes, nothing is tried again, and the mail went out."""
    service.replies[browser.endpoint] = [(status, {})]
    async with post.running(post.postman()):
        await asked(post)
        await ended(post, refused=1)
        await post.settled(1)
    assert (post.town.browsers["gita"], service.refused) == ([], [status])


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_has_no_time_is_tried_again(
    post: Post, service: PushService, browser: Browser, status: int
) -> None:
    """Later, under the same Topic, and the browser is still subscribed."""
    service.replies[browser.endpoint] = [(status, {}), (status, {"Retry-After": "0"})]
    async with post.running(post.postman()):
        await asked(post)
        await ended(post, sent=1)
    assert service.refused == [status, status]
    assert len(service.of(browser)) == 1 and post.town.browsers["gita"] == [browser]


async def test_it_waits_as_long_as_it_is_told_to(post: Post, service: PushService, browser: Browser) -> None:
    """Retry-After counts where it is longer than our own pause."""
    service.replies[browser.endpoint] = [(429, {"Retry-After": "600"})]
    async with post.running(post.postman()):
        await asked(post)
        await until(lambda: service.refused)
        await until(lambda: _put_off(post))
    [waiting] = [mail for mail in (await post.records()).values() if mail.device]
    assert waiting.next_at - waiting.created >= 600_000


async def _put_off(post: Post) -> bool:
    return any(mail.device and mail.attempts for mail in (await post.records()).values())


async def test_a_service_that_refuses_is_not_asked_again(post: Post, service: PushService, browser: Browser) -> None:
    """400 says that this push will never be taken; a redirect is not followed, for it may lead anywhere."""
    service.replies[browser.endpoint] = [(400, {}), (307, {"Location": f"{service.origin}/elsewhere"})]
    async with post.running(post.postman()):
        await asked(post)
        await ended(post, refused=1)
        post.market.people.bands["max"] = "14-15"
        post.market.people.wards.add("max")
        post.town.families["max"] = ["gita"]
        await post.market.check_out(await post.market.hold("max", (0, 1)))
        await ended(post, refused=2)
    assert service.pushed == [] and service.refused == [400, 307]


async def test_a_name_of_our_own_network_is_not_gone_to(post: Post, service: PushService, browser: Browser) -> None:
    """What a subscription's host name resolves to must be outside, too: nothing is sent, and the mail goes out."""
    browser.endpoint = browser.endpoint.replace("127.0.0.1", "localhost")
    async with post.running(post.postman()):
        await asked(post)
        await until(lambda: _put_off(post))
        await post.settled(1)
    assert service.pushed == []


async def test_what_was_answered_meanwhile_is_not_pushed(post: Post, service: PushService, browser: Browser) -> None:
    """A request that is no longer open when its push would leave disturbs nobody."""
    approval = await asked(post)
    async with post.running():
        await until(lambda: len(post.told) == 2)
    await decide(post, approval.id, "declined", "gita")
    async with post.running(post.postman()):
        await ended(post, given_up=1)
    assert service.pushed == []


async def test_a_mail_server_that_is_away_holds_up_no_push(
    post: Post, service: PushService, browser: Browser, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While mails rest, a guardian's browser still hears of a request."""
    monkeypatch.setattr(postman, "REST_S", (3600.0, 3600.0))
    await server.stop()
    async with post.running(post.postman()):
        await post.buy("ann")
        await until(lambda: _rests(post))
        await asked(post)
        await ended(post, sent=1)


async def _rests(post: Post) -> bool:
    return any(mail.next_at > post.store.now_ms() + 1_000_000 for mail in (await post.records()).values())


@pytest.mark.parametrize("spend", ["", "sp_pmia_1"])
async def test_a_bank_that_asks_is_told_of(
    post: Post, service: PushService, browser: Browser, server: MailServer, spend: str
) -> None:
    """3-D Secure: whoever agreed, or had agreed in advance, hears by mail and push while it can be confirmed; the minor and
    the other guardian hear nothing of it.
    """
    post.town.families["mia"] = ["gita", "gert"]
    post.town.browsers["gert"] = [service.browser()]
    approval = await asked(post)
    await decide(post, approval.id, "approved", "gita", spend, "pm_3ds")
    async with post.running(post.postman()):
        await until(lambda: service.of(browser))
        await until(lambda: [one for one in server.to("gita@example.org") if one["Subject"].startswith("Deine Bank")])
    [pushed] = service.of(browser)
    assert pushed.said["text"] == PUSHED["de"] and int(pushed.headers["ttl"]) <= 1800
    assert {one.endpoint for one in service.pushed} == {browser.endpoint}
    others = [mail["Subject"] for who in ("mia", "gert") for mail in server.to(f"{who}@example.org")]
    assert not [one for one in others if "Bank" in one]


async def test_a_crash_after_sending_is_one_notification(
    post: Post, service: PushService, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between sending and recording, the next worker sends again under one Topic and tag; and the show verifies."""
    monkeypatch.setattr(postman, "CLAIM_MS", 100)
    kept = Postman._record

    async def dies(self: Postman, shelf: str, after: Any) -> None:
        if not after.device:
            await kept(self, shelf, after)

    monkeypatch.setattr(Postman, "_record", dies)
    async with post.running(post.postman()):
        await asked(post)
        await until(lambda: service.of(browser))
    monkeypatch.setattr(Postman, "_record", kept)
    async with post.running(post.postman()):
        await ended(post, sent=1)
    assert len({one.headers["topic"] for one in service.of(browser)}) == 1
    assert len({one.said["tag"] for one in service.of(browser)}) == 1


async def test_a_show_with_pushes_verifies(
    post: Post, browser: Browser, engine: AsyncEngine, running: Running
) -> None:
    """Pushes' records and numbers follow from the log like everything else on the shelf."""
    async with post.running(post.postman()), running():
        await asked(post)
        await ended(post, sent=1)
    async with running():
        await archived(post.store, engine, post.market.shelf)
    found = await verify(post.store, engine, post.market.shelf, PUBLIC_KEY, 0)
    assert [str(one) for one in found] == []


def test_the_rfc_s_own_browser_reads_it() -> None:
    """RFC 8291 section 5: the subscription of its example opens what we encrypt for it, each time another text."""
    keys = {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }
    private = int.from_bytes(decoded("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    browser = Browser("https://push.example.net/x", derive_private_key(private, SECP256R1()), decoded(keys["auth"]))
    subscription = Subscription(browser.endpoint, **keys)
    assert browser.told() == {"endpoint": browser.endpoint, **keys}
    one, other = (encrypted(b"When I grow up, I want to be a watermelon", subscription) for _ in "12")
    assert browser.opened(one) == browser.opened(other) == b"When I grow up, I want to be a watermelon"
    assert one != other


def test_vapid_names_us_and_the_service() -> None:
    """RFC 8292: signed for the service's origin alone, for less than a day, with where to complain."""
    vapid = Vapid(b"k" * 32, "mailto:shop@example.org")
    claims = check_vapid(vapid.authorization("https://push.example.org:8443/abc?d=e", 1_000), "https://push.example.org:8443")
    assert claims["sub"] == "mailto:shop@example.org"
    assert 1_000 < claims["exp"] <= 1_000 + 86_400
