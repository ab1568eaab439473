"""Family links over the real store: both ways in, a day's notice out, and what a stop or an end does to open requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.guardians import family as rules
from livesale.guardians import store as rows
from livesale.guardians.family import FAMILY, Family, Tie
from livesale.guardians.invitations import Invitations, Knower, Way
from livesale.guardians.model import LINK_MUST_STAND_MS
from livesale.guardians.reactions import FamilyReactions
from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS
from livesale.kernel.refusals import Refusal
from livesale.store.decision import Decision, Early
from livesale.store.log import read_log
from livesale.store.readers import Reactions
from livesale.store.record import load, put
from livesale.store.valkey import Store
from tests.guardians.house import House, counter

MINOR, PARENT = "mia", "gita"
MAILS = {"mia": "mia@example.org", "gita": "gita@example.org", "eve": "eve@example.org", "kim": "kim@example.org"}
MINORS = {"mia", "kim"}


async def code_of(work: Any) -> str:
    """Why it is refused."""
    with pytest.raises(Refusal) as refused:
        await work
    return refused.value.code


@dataclass
class Post:
    """Invitations, and the links that were mailed: (address, link)."""

    invitations: Invitations
    sent: list[tuple[str, str]]

    def token(self) -> str:
        """What stands in the last mail."""
        return self.sent[-1][1].partition("#invitation=")[2]


@pytest.fixture
def post(house: House, engine: AsyncEngine) -> Post:
    sent: list[tuple[str, str]] = []

    async def adult(account: str) -> bool:
        return account not in MINORS

    async def mail(account: str) -> str:
        return MAILS[account]

    async def send(email: str, _inviter: str, _invites: str, link: str) -> None:
        sent.append((email, link))

    knower = Knower(adult, mail, house.market.people.seal)
    return Post(Invitations(engine, house.guardians.families, knower, bytes(32), "https://x", send), sent)


@pytest.mark.parametrize(("inviter", "invited"), [("kim", "gita"), ("gita", "kim")])
async def test_invited_both_ways(house: House, post: Post, inviter: str, invited: str) -> None:
    """A minor invites a guardian, or a guardian a minor: the same link, not enough to agree for a day, usable once."""
    made = await post.invitations.invite(house.actor(inviter), f" {invited}@Example.org ", "mail")
    assert post.sent[-1][0] == MAILS[invited]
    assert made.email_hash not in post.sent[-1][1]
    minor, tie = await post.invitations.accept(house.actor(invited), post.token())
    assert (minor, tie.guardian, tie.verified) == ("kim", "gita", False)
    now_ms = house.market.store.now_ms()
    assert tie.active(now_ms) and not tie.stands(now_ms) and tie.stands(now_ms + LINK_MUST_STAND_MS)
    assert [link.guardian for link in await house.guardians.links_of("kim")] == ["gita"]
    assert await code_of(post.invitations.accept(house.actor(invited), post.token())) == "gone"


async def test_a_forwarded_or_leaked_link(house: House, post: Post) -> None:
    """It does not exist for any other account, signed in freshly or not; a changed token is none at all."""
    await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")
    for other in ("eve", "mia", "kim"):
        for act in (post.invitations.read, post.invitations.accept):
            assert await code_of(act(house.actor(other), post.token())) == "not_found"
    forged = post.token()[:-1] + ("0" if post.token()[-1] != "0" else "1")
    assert await code_of(post.invitations.accept(house.actor("gita"), forged)) == "not_found"
    assert await house.guardians.links_of("kim") == []


async def test_a_mail_scanner_opening_the_link(house: House, post: Post) -> None:
    """Reading an invitation, however often, changes nothing on any shelf and uses nothing up."""
    await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")
    for _ in range(3):
        await post.invitations.read(house.actor("gita", ago_ms=10**9), post.token())
    assert await house.market.store.seq("person:kim") == 0
    await post.invitations.accept(house.actor("gita"), post.token())


async def test_shared_device_saved_password(house: House, post: Post) -> None:
    """A shared device with an old sign-in invites, accepts, removes and takes back nothing."""
    old = 11 * 60_000
    assert await code_of(post.invitations.invite(house.actor("kim", old), MAILS["gita"], "mail")) == "step_up_required"
    await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")
    assert await code_of(post.invitations.accept(house.actor("gita", old), post.token())) == "step_up_required"
    for act in (house.guardians.families.remove, house.guardians.families.keep):
        assert await code_of(act(house.actor("gita", old), "fl_gita")) == "step_up_required"


async def test_second_account_as_own_guardian(house: House, post: Post) -> None:
    """One's own address cannot be invited; nobody under age can be a guardian, nor an adult have one."""
    assert await code_of(post.invitations.invite(house.actor("kim"), "KIM@example.org", "mail")) == "invalid"
    await post.invitations.invite(house.actor("kim"), MAILS["mia"], "mail")
    assert await code_of(post.invitations.accept(house.actor("mia"), post.token())) == "forbidden"
    await post.invitations.invite(house.actor("eve"), MAILS["gita"], "mail")
    assert await code_of(post.invitations.accept(house.actor("gita"), post.token())) == "forbidden"


async def test_guardian_who_is_17(house: House, post: Post) -> None:
    """Linked or not, somebody under age agrees to nothing and accepts no ward."""
    await post.invitations.invite(house.actor("kim"), MAILS["mia"], "mail")
    assert await code_of(post.invitations.accept(house.actor("mia"), post.token())) == "forbidden"
    _, approval = await house.asked()
    assert await code_of(house.approve(approval, "seventeen")) == "forbidden"


async def test_a_code_is_for_its_makers_screen(house: House, post: Post) -> None:
    """Nothing is mailed; only its maker is shown it, for a quarter of an hour; a mailed one is shown to nobody."""
    made = await post.invitations.invite(house.actor("kim"), MAILS["gita"], "code")
    assert post.sent == []
    _, link = await post.invitations.code(house.actor("kim"), made.id)
    assert await code_of(post.invitations.code(house.actor("gita"), made.id)) == "not_found"
    mailed = await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")
    assert await code_of(post.invitations.code(house.actor("kim"), mailed.id)) == "not_found"
    await post.invitations.accept(house.actor("gita"), link.partition("#invitation=")[2])
    assert await code_of(post.invitations.code(house.actor("kim"), made.id)) == "gone"


@pytest.mark.parametrize(("way", "days"), [("mail", 7), ("code", 1)])
async def test_an_old_invitation_links_nobody(
    house: House, post: Post, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, way: Way, days: int
) -> None:
    """A week after it was mailed, or a quarter of an hour after it was shown, it is gone for whom it was for, too."""
    made = await post.invitations.invite(house.actor("kim"), MAILS["gita"], way)
    store, token = house.market.store, post.invitations.token(made.id)
    later_ms = store.now_ms() + days * DAY_MS
    monkeypatch.setattr(Store, "now_ms", lambda _: later_ms)
    assert await code_of(post.invitations.accept(house.actor("gita"), token)) == "gone"
    assert not (await house.guardians.family_of("kim")).ties


async def test_invitations_are_counted(house: House, post: Post) -> None:
    """Ten a day; the same call repeated is the same invitation, mailed once."""
    for _ in range(2):
        await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail", "same")
    assert len(post.sent) == 1
    for _ in range(9):
        await post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")
    assert await code_of(post.invitations.invite(house.actor("kim"), MAILS["gita"], "mail")) == "limit_reached"


async def aged(house: House, **fields: Any) -> None:
    """gita's tie with other times."""
    store = house.market.store
    stored = (await store.read("person:mia", FAMILY))[FAMILY]
    family = load(Family, stored)
    assert family
    ties = [msgspec.structs.replace(tie, **fields) if tie.guardian == PARENT else tie for tie in family.ties]
    changed = msgspec.structs.replace(family, ties=ties)
    await store.commit(Decision("person:mia", puts=(put(FAMILY, stored, changed),)))


async def told(store: Store, shelf: str = "person:mia") -> list[dict[str, Any]]:
    """Every event of the shelf."""
    return [event for entry in await read_log(store, shelf) for event in entry.fields()["events"]]


async def test_removal_takes_a_day(house: House) -> None:
    """Until the store's clock says so nothing ends and it can be taken back; then it ends once, whoever fires first."""
    families, store = house.guardians.families, house.market.store
    _, tie = await families.remove(house.actor(MINOR), "fl_gita")
    assert tie.ends_at is not None
    assert tie.ends_at > store.now_ms() + rules.ENDS_AFTER_MS - 60_000
    assert await code_of(families.remove(house.actor(PARENT), "fl_gita")) == "conflict"
    with pytest.raises(Early):
        await families.end("person:mia", "fl_gita")
    _, order_before = await house.asked()
    await house.approve(order_before)  # it counts until then
    await families.keep(house.actor(PARENT), "fl_gita")
    await families.end("person:mia", "fl_gita")  # its mark of before: nothing to do
    await families.remove(house.actor(PARENT), "fl_gita")
    await aged(house, ends_at=store.now_ms() - 1)
    await asyncio.gather(families.end("person:mia", "fl_gita"), families.end("person:mia", "fl_gita"))
    assert await code_of(families.keep(house.actor(PARENT), "fl_gita")) == "not_found"
    states = [event["state"] for event in await told(store) if event.get("link") == "fl_gita"]
    assert states[:4] == ["ending", "kept", "ending", "ended"]
    assert "fl_gita" not in [link.id for link in await families.links_of(PARENT)]


async def alone(house: House) -> None:
    """gita is the only guardian left."""
    store = house.market.store
    stored = (await store.read("person:mia", FAMILY))[FAMILY]
    family = load(Family, stored)
    assert family
    ties = [tie for tie in family.ties if tie.guardian == PARENT]
    await store.commit(Decision("person:mia", puts=(put(FAMILY, stored, msgspec.structs.replace(family, ties=ties)),)))


async def react(house: House) -> None:
    """The reader hears of everything on the minor's shelf, twice."""
    reactions = Reactions(FamilyReactions(house.guardians).reactions())
    for event in [*await told(house.market.store)] * 2:
        for act in reactions.to(event):
            await act("person:mia", event)


async def test_a_link_that_ends_voids_what_nobody_decides(house: House) -> None:
    """With another guardian left a request stays; without one it is void, and its units are back exactly once."""
    families, store = house.guardians.families, house.market.store
    async with house.market.running():
        order, approval = await house.asked()
        await families.remove(house.actor(PARENT), "fl_gita")
        await react(house)
        assert (await house.market.approval(order)).state == "requested"
        await alone(house)
        await aged(house, ends_at=store.now_ms() - 1)
        await families.end("person:mia", "fl_gita")
        await react(house)
        await house.guardians.sweep(MINOR)
        await house.market.state(order, "cancelled")
    assert (await house.market.approval(order)).state == "void"
    assert await code_of(house.approve(approval)) == "not_found"
    assert (await counter(house, "free"), await counter(house, "requests")) == (20, 0)
    assert not await store.due("person:mia", "due", 2**50)


async def test_stopped_at_once(house: House) -> None:
    """Open requests are void, none can be made or approved; whoever stopped it lets it go on, freshly proven."""
    families = house.guardians.families
    async with house.market.running():
        order, approval = await house.asked()
        await families.freeze(house.actor(PARENT, ago_ms=10**9), MINOR, True)
        assert await code_of(house.approve(approval, "gero")) == "forbidden"
        assert await code_of(house.guardians.check_may_ask(MINOR)) == "forbidden"
        await react(house)
        await house.market.state(order, "cancelled")
    assert (await house.market.approval(order)).state == "void"
    assert house.market.provider.captured == {}
    assert (await counter(house, "free"), await counter(house, "requests")) == (20, 0)
    assert await code_of(families.freeze(house.actor("gero"), MINOR, False)) == "forbidden"
    assert await code_of(families.freeze(house.actor(PARENT, ago_ms=10**9), MINOR, False)) == "step_up_required"
    assert await code_of(families.freeze(house.actor("stranger"), MINOR, False)) == "not_found"
    await families.freeze(house.actor(PARENT), MINOR, False)
    await house.guardians.check_may_ask(MINOR)


@pytest.mark.parametrize("token", ["pm_ok", "pm_3ds"])
async def test_stopped_while_it_is_being_paid(house: House, token: str) -> None:
    """Approved and on its way to the bank when a guardian stops it: authorised money is let go, none is captured."""
    order, approval = await house.asked()
    await house.guardians.approve(house.actor(PARENT), approval.id, approval.digest, token)
    market = house.market
    pending = [event for entry in await read_log(market.store, market.shelf) for event in entry.fields()["events"]]
    rooms = (market.payments, market.requests)
    for event in pending:
        for act in Reactions(one for room in rooms for one in room.reactions()).to(event):
            await act(market.shelf, event)
    await market.payments.go_on(order.id)  # authorised, or at the bank, when it is stopped
    await house.guardians.families.freeze(house.actor("gero"), MINOR, True)
    async with market.running():
        await react(house)
        await market.state(order, "cancelled")
    assert market.provider.captured == {}
    assert not market.provider.outstanding()
    assert (await market.approval(order)).state == "void"
    assert await counter(house, "free") == 20


async def test_older_links_count(house: House) -> None:
    """A link from before families had a record is read from its row, and kept by the first commit that writes one."""
    families = house.guardians.families
    await families.join("kim", Tie("fl_kim", PARENT, 1), "system")
    await house.market.store.client.delete("{person:kim}:r")
    assert [tie.guardian for tie in (await families.of("kim")).ties] == [PARENT]
    await families.freeze(Actor(PARENT, frozenset()), "kim", True)
    assert [tie.guardian for tie in (await families.of("kim")).ties] == [PARENT]


async def test_an_older_copy_never_wins(house: House, engine: AsyncEngine) -> None:
    """Rows follow the record by version, so a reader that is behind changes nothing back."""
    families = house.guardians.families
    await families.remove(house.actor(PARENT), "fl_gita")
    async with engine.begin() as connection:
        await rows.copy(connection, [rows.Link("fl_gita", MINOR, PARENT, True, 1, None)], 1)
    [link] = await families.links_of(PARENT)
    assert (link.verified, link.ends_at is not None) == (False, True)
