"""Allowances over the real store: what they agree to by themselves, and that a month's sum is never spent twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from livesale.guardians import allowance as rules
from livesale.guardians import places
from livesale.guardians.allowance import ALLOWANCE, Allowance, Bought, NotCovered, QuietHours, Spend
from livesale.guardians.allowances import Allowances
from livesale.guardians.family import FAMILY, Family, Tie
from livesale.guardians.model import Approval
from livesale.kernel.clock import parse_rfc3339
from livesale.kernel.refusals import Refusal
from livesale.orders.spending import Spending
from livesale.store.record import encode, load
from livesale.store.valkey import Records, Versioned
from tests.guardians.house import PEOPLE, House, counter
from tests.guardians.test_families import MINOR, PARENT, code_of
from tests.support.family import WardsDouble
from tests.support.market import HOST, Market

SHELF = "person:mia"
NOON = parse_rfc3339("2026-11-26T12:00:00+01:00")
GRANT = Allowance(PARENT, 3_000, 1_500, "EUR", NOON, token=b"pm_ok")


@pytest.fixture
def wards(house: House) -> WardsDouble:
    return WardsDouble(house.guardians)


@pytest.fixture
def spending(house: House, wards: WardsDouble) -> Spending:
    made = Spending(house.market.store, wards)
    house.market.more = (made,)
    return made


def allowances(house: House) -> Allowances:
    async def age_of(account: str) -> tuple[bool, bool]:
        return PEOPLE[account]

    async def country_of(_account: str) -> str:
        return "DE"

    return Allowances(house.guardians.families, age_of, country_of)


async def grant(house: House, who: str = PARENT, **changes: Any) -> None:
    now_ms = house.market.store.now_ms()
    wish = replace(GRANT, **{"guardian": who, "granted_at": now_ms, **changes})
    await allowances(house).grant(house.actor(who), MINOR, wish)


async def month_of(house: House) -> int:
    """What is spent of the month."""
    return (await allowances(house).standing(house.actor(PARENT), MINOR)).spent


async def test_within_it_is_bought_at_once(house: House, spending: Spending) -> None:
    """No guardian is needed: approved by what was agreed in advance, charged in full to that guardian, and counted."""
    await grant(house)
    async with house.market.running():
        order, approval = await house.asked()
        await house.market.state(order, "paid")
        await until_spent(house, "used")
    now = await house.market.approval(order)
    payment = await house.market.orders.payment(order)
    assert payment
    assert (now.state, now.spend, payment.payer) == ("consumed", rules.spend_id(approval), PARENT)
    assert house.market.provider.captured == {order.id: approval.total}
    assert await month_of(house) == approval.total


async def until_spent(house: House, *states: str) -> Spend:
    """The one sum, once it is in one of the states."""
    async with asyncio.timeout(20):
        while True:
            records = await house.market.store.records(SHELF)
            found = [load(Spend, row) for name, row in records.items() if name.startswith("spend:")]
            if found and found[0] and found[0].state in states:
                return found[0]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"per_order": 999}, {"monthly": 0, "per_order": 0}, {"blocked": ["demo"]}, {"categories": ["Books"]}, {"token": b""},
        {"currency": "CHF"},
    ],
)
async def test_beyond_it_a_guardian_is_asked(house: House, spending: Spending, changes: dict[str, Any]) -> None:
    """Too dear, ended, a blocked shop, another category, no way to pay, another currency: the request waits as ever."""
    await grant(house, **changes)
    _, approval = await house.asked()
    await spending._asked(house.market.shelf, {"approval": approval.id, "before": ""})
    assert (await house.market.store.records(SHELF)).keys() <= {FAMILY, ALLOWANCE}
    assert await month_of(house) == 0
    assert (await house.approve(approval)).state == "approved"


async def test_a_declined_card_gives_the_month_back(house: House, spending: Spending) -> None:
    """What was set aside for an order that was not paid is there again, once."""
    await grant(house, token=b"pm_declined")
    async with house.market.running():
        order, _ = await house.asked()
        await house.market.state(order, "payment_failed")
        await until_spent(house, "released")
    assert await month_of(house) == 0
    assert await counter(house, "free") == 20


async def test_returned_money_can_be_spent_again(house: House, spending: Spending) -> None:
    """A refund gives back as much of the month as of the money, however often it is told."""
    await grant(house)
    async with house.market.running():
        order, approval = await house.asked()
        await house.market.state(order, "paid")
        await house.market.refund(order, amount=400)
        async with asyncio.timeout(20):
            while await month_of(house) != approval.total - 400:
                await asyncio.sleep(0.01)
        for _ in range(2):
            await spending._returned(house.market.shelf, {"order": order.id})
    assert await month_of(house) == approval.total - 400


@pytest.mark.parametrize("decided", ["declined", "revoked", "frozen"])
async def test_a_guardian_has_the_last_word(house: House, spending: Spending, decided: str) -> None:
    """Declined while the sum was being set aside, taken back, or all buying stopped: not charged, the month is whole."""
    await grant(house)
    order, approval = await house.asked()
    actor = house.actor("gero")
    asked = spending._asked(house.market.shelf, {"approval": approval.id, "before": ""})
    if decided == "declined":
        await house.guardians.decline(actor, approval.id)
        await asked
    else:
        await asked
        assert (await house.market.approval(order)).state == "approved"
        if decided == "revoked":
            await house.guardians.revoke(actor, approval.id)
        else:
            await house.guardians.families.freeze(actor, MINOR, True)
    async with house.market.running():
        await house.market.state(order, "declined", "cancelled")
        async with asyncio.timeout(20):
            while await month_of(house):
                await asyncio.sleep(0.01)
    assert house.market.provider.captured == {}
    assert await counter(house, "free") == 20


async def test_a_crash_between_the_shelves(house: House, spending: Spending) -> None:
    """Set aside, then the worker died: the deadline gives the sum back, and the sum that comes late agrees to nothing."""
    await grant(house)
    _, approval = await house.asked()
    guardian = await house.guardians.guardian(PARENT, approval)
    spend = await spending._set_aside(SHELF, approval, guardian)
    assert await month_of(house) == approval.total
    await asyncio.gather(spending.finish(SHELF, spend.id), spending.finish(SHELF, spend.id))
    assert await month_of(house) == 0
    await spending._agree(house.market.shelf, spend, guardian)
    now = await house.market.approval(await house.market.orders.load(approval.order))
    assert (now.state, now.by_hand) == ("requested", True)
    await spending._asked(house.market.shelf, {"approval": approval.id, "before": ""})
    assert await month_of(house) == 0
    assert (await house.approve(approval)).state == "approved"


async def test_two_shows_at_once(house: House, spending: Spending) -> None:
    """Requests in two shows that each fit and together do not: one is bought, the other waits for a guardian."""
    await grant(house, monthly=1_500)
    other = Market(house.market.store, house.market.provider)
    other.people.bands, other.people.wards = {MINOR: "14-15"}, {MINOR}
    await other.open(20)
    async with house.market.running():
        asked = []
        for market in (house.market, other):
            order = await market.check_out(await market.hold(MINOR, (0, 1)))
            asked.append((market, order))
        await until_spent(house, "used")
        states = sorted([(await market.orders.load(order.id)).state for market, order in asked])
    assert states == ["awaiting_guardian", "paid"]
    assert await month_of(house) == 1_000
    assert sum(house.market.provider.captured.values()) == 1_000


async def test_who_may_grant_one(house: House) -> None:
    """Only a guardian who could approve, freshly proven; the ward may read it, a stranger neither."""
    refused = {"dora": "forbidden", "seventeen": "forbidden", "young_link": "forbidden", "stranger": "not_found"}
    assert {who: await code_of(grant(house, who)) for who in refused} == refused
    old = house.actor(PARENT, ago_ms=11 * 60_000)
    assert await code_of(allowances(house).grant(old, MINOR, GRANT)) == "step_up_required"
    await grant(house)
    assert (await allowances(house).standing(house.actor(MINOR), MINOR)).allowance.monthly == 3_000
    assert await code_of(allowances(house).standing(house.actor("stranger"), MINOR)) == "not_found"


async def test_guardian_is_the_seller(house: House, spending: Spending) -> None:
    """Who sells it has agreed to nothing in advance either: the request waits for the other guardian."""
    await grant(house, HOST.account)
    _, approval = await house.asked()
    await spending._asked(house.market.shelf, {"approval": approval.id, "before": ""})
    assert await month_of(house) == 0
    assert (await house.approve(approval)).state == "approved"


async def test_the_way_to_pay_stays(house: House) -> None:
    """New limits keep the card; another guardian's allowance never pays with it, and an ended one forgets it."""
    await grant(house)
    await grant(house, token=b"", monthly=2_000)
    assert (await allowances(house).standing(house.actor(PARENT), MINOR)).allowance.token == b"pm_ok"
    await grant(house, "gero", token=b"")
    assert (await allowances(house).standing(house.actor(PARENT), MINOR)).allowance.token == b""
    await grant(house)
    await grant(house, monthly=0, per_order=0)
    assert (await allowances(house).standing(house.actor(PARENT), MINOR)).allowance.token == b""


# The rules alone

FAMILY_OF_TWO = Family([Tie("fl_1", PARENT, 1), Tie("fl_2", "gero", 1)])
REQUEST = Approval("ap_sx_1", "o_sx_1", MINOR, "d" * 64, 1_000, "EUR", "demo", NOON, NOON + 1)
TOYS = Bought("demo", ["Toys > Puzzles"], gated=False)


def records(allowance: Allowance = GRANT, family: Family = FAMILY_OF_TWO) -> Records:
    return {ALLOWANCE: Versioned(1, encode(allowance)), FAMILY: Versioned(1, encode(family))}


def why(allowance: Allowance = GRANT, family: Family = FAMILY_OF_TWO, bought: Bought = TOYS, at: int = NOON, **asked: Any) -> str:
    """Why it is not covered; empty when it is."""
    try:
        rules.set_aside(records(allowance, family), replace(REQUEST, **asked), bought, "DE", at)
    except NotCovered as refused:
        return str(refused)
    return ""


def test_what_is_never_covered() -> None:
    """An age gate, a stop, what both must agree to, and a place nobody knows the time of."""
    assert why() == ""
    assert why(bought=replace_bought(gated=True)) == "gated"
    assert why(family=replace(FAMILY_OF_TWO, frozen_by="gero")) == "stopped"
    both = Family([replace(tie, mode="all") for tie in FAMILY_OF_TWO.ties])
    assert why(family=both) == "together"
    with pytest.raises(NotCovered, match="place"):
        rules.set_aside(records(), REQUEST, TOYS, "XX", NOON)


def replace_bought(**changes: Any) -> Bought:
    return Bought(**{"shop": TOYS.shop, "categories": TOYS.categories, "gated": TOYS.gated, **changes})


@pytest.mark.parametrize(
    ("categories", "asked", "covered"),
    [
        ([], ["Anything"], True), (["Toys"], ["toys > Puzzles"], True), (["Toys"], ["Toys", "Books"], False),
        (["Toy"], ["Toys"], False),
    ],
)
def test_categories_and_what_lies_below(categories: list[str], asked: list[str], covered: bool) -> None:
    """Every line is in one of them; none named means all."""
    assert (why(replace(GRANT, categories=categories), bought=replace_bought(categories=asked)) == "") is covered


@pytest.mark.parametrize(
    ("time", "quiet"),
    [("20:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_at_the_wards_place(time: str, quiet: bool) -> None:
    """Over midnight, in the ward's own time; in the middle of them nothing is bought by itself."""
    at = parse_rfc3339(f"2026-11-26T{time}:00+01:00")
    assert (why(replace(GRANT, quiet_hours=QuietHours("21:00", "07:00")), at=at) == "quiet") is quiet


def test_quiet_in_any_zone_is_quiet() -> None:
    """Where a country has several times, each must be awake; where nothing is known it is always quiet."""
    at = parse_rfc3339("2026-11-26T09:30:00-05:00")  # 04:30 in Honolulu
    assert places.within(at, "US", "22:00", "06:00")
    assert not places.within(at, "DE", "22:00", "06:00")
    assert places.within(at, "XX", "22:00", "06:00")


def test_the_month_rolls_over_at_the_wards_place() -> None:
    """Midnight in Berlin, not in Greenwich; each month has its own sum."""
    before = parse_rfc3339("2026-11-30T23:59:59+01:00")
    assert [places.month(at, "DE") for at in (before, before + 1_000)] == ["2026-11", "2026-12"]
    counters = [rules.set_aside(records(), REQUEST, TOYS, "DE", at).counters[0].name for at in (before, before + 1_000)]
    assert counters == ["spent:2026-11:EUR", "spent:2026-12:EUR"]


def test_an_order_beyond_the_month_is_refused_as_such() -> None:
    """One order cannot be allowed more than the month."""
    with pytest.raises(Refusal):
        rules.granted({ALLOWANCE: None, FAMILY: None}, MINOR, replace(GRANT, per_order=3_001))


def test_what_becomes_of_a_sum() -> None:
    """Used once the money is captured, back whenever it will not be; while it may go either way nothing is said."""
    spend = Spend("sp_pmia_1", MINOR, PARENT, "o_sx_1", "ap_sx_1", 1_000, "EUR", "2026-11")
    mine = replace(REQUEST, spend=spend.id)
    assert rules.fate(spend, None, "") == rules.fate(spend, REQUEST, "") == "released"
    assert rules.fate(spend, replace(mine, state="approved"), "created") is None
    for state in ("revoked", "lapsed", "void", "cancelled"):
        assert rules.fate(spend, replace(mine, state=state), "authorised") == "released"
    consumed = replace(mine, state="consumed")
    told = {state: rules.fate(spend, consumed, state) for state in ("capturing", "captured", "failed", "voided")}
    assert told == {"capturing": None, "captured": "used", "failed": "released", "voided": "released"}
