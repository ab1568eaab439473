"""From a buyer's wish to held units: checks the lines against the shelf and prices them. Pure."""

from __future__ import annotations

import msgspec

from livesale.kernel.ids import new_id
from livesale.kernel.refusals import Refusal
from livesale.orders import model
from livesale.orders.model import Line, Order
from livesale.orders.pricing import Destination, priced_for
from livesale.orders.waitlist import Wait, record_name, take
from livesale.shows.model import Deal, Offer, Show, on_air, price_now
from livesale.store.decision import Counter, Decision, Mark, Put
from livesale.store.record import encode, load, load_shared, version
from livesale.store.valkey import Records, Versioned


class Wish(msgspec.Struct, frozen=True):
    """One line as asked for; `price` is what the page showed, if it says so."""

    offer: str
    quantity: int
    price: int | None = None


def record_names(wishes: list[Wish]) -> tuple[str, ...]:
    """The records `place` reads."""
    return ("show", "deal", *dict.fromkeys(f"offer:{wish.offer}" for wish in wishes))


def wait_names(wishes: list[Wish], account: str) -> tuple[str, ...]:
    """The buyer's own places in lines. `place` takes those it is not given for absent, and the commit checks that."""
    return tuple(dict.fromkeys(record_name(wish.offer, account) for wish in wishes))


def priced(records: Records, wishes: list[Wish], now_ms: int, to: Destination) -> list[Line]:
    """The lines at today's price there, one for each wish; price_changed when the page showed another."""
    deal = load_shared(Deal, records["deal"])
    lines, stale = [], []
    for place, wish in enumerate(wishes):
        offer = load_shared(Offer, records[f"offer:{wish.offer}"])
        if offer is None:
            raise Refusal("not_found", "There is no such offer in this show.", [{"line": place, "offer": wish.offer}])
        price = price_now(offer, deal, now_ms)
        if wish.price is not None and wish.price != price:
            stale.append({"line": place, "offer": offer.id, "price": price, "currency": offer.currency})
        lines.append(_line(offer, wish.quantity, price, deal, now_ms, to))
    if stale:
        raise Refusal("price_changed", "The price has changed since the page showed it.", stale)
    return lines


def place(
    on_shelf: str, records: Records, account: str, wishes: list[Wish], ref: str | None, now_ms: int, to: Destination
) -> tuple[Order, Decision]:
    """Hold the units of every line for ten minutes at what they cost there, or refuse; all or none."""
    show = on_air(load_shared(Show, records["show"]))
    lines = priced(records, wishes, now_ms, to)
    waits = wait_names(wishes, account)
    wished = Order(
        new_id("o", on_shelf), on_shelf, show.shop, account, lines, 0, show.currency, now_ms, now_ms + model.HOLD_MS,
        ref=ref,
    )  # fmt: skip
    order = priced_for(wished, to)
    decision = Decision(
        on_shelf,
        expect=tuple([(name, version(records.get(name))) for name in (*record_names(wishes), *waits)]),
        counters=_with_limits(records, order, model.moves(None, order)),
        puts=(Put(f"order:{order.id}", 0, encode(order)),),
        marks=(Mark("due", f"hold:{order.id}", order.reserved_until),),
        events=(model.order_event(None, order),),
    )
    turns = [stored for name in waits if (stored := records.get(name))]
    return order, _with_turns(turns, order, decision) if turns else decision


def _with_turns(turns: list[Versioned], order: Order, decision: Decision) -> Decision:
    """The hold with units from those its buyer is offered, wherever it is the buyer's turn."""
    for stored in turns:
        turn = load(Wait, stored)
        if turn is None or turn.state != "offered":
            continue
        wanted = [(place, line.quantity) for place, line in enumerate(order.lines) if line.offer == turn.offer]
        total = sum(quantity for _, quantity in wanted)
        if total > turn.quantity:
            lack = {"line": wanted[0][0], "offer": turn.offer, "requested": total, "left": turn.quantity}
            raise Refusal("sold_out", "It is your turn, but for fewer units.", [lack])
        decision = take(decision, turn, version(stored), total)
    return decision


def _line(offer: Offer, quantity: int, price: int, deal: Deal | None, now_ms: int, to: Destination) -> Line:
    dealt = deal if deal and deal.offer == offer.id and deal.runs(now_ms) else None
    limited = offer.per_buyer_limit is not None or (dealt is not None and dealt.per_buyer_limit is not None)
    return Line(
        offer.id, offer.product, offer.title, offer.image, quantity, price,
        deal=dealt.id if dealt and dealt.quantity else None,
        limited=limited, tracked=offer.tracked, age_gate=offer.age_gate, tax=offer.tax, vat=to.rate(offer.tax),
    )  # fmt: skip


def _with_limits(records: Records, order: Order, counters: tuple[Counter, ...]) -> tuple[Counter, ...]:
    """The buyer's counters with their ceilings, which only the offer's record knows."""
    if not any([line.limited for line in order.lines]):
        return counters
    ceilings: dict[str, int] = {}
    deal = load_shared(Deal, records["deal"])
    for line in order.lines:
        offer = load_shared(Offer, records[f"offer:{line.offer}"])
        limits = [offer.per_buyer_limit if offer else None]
        if deal and deal.offer == line.offer and deal.runs(order.held_at):
            limits.append(deal.per_buyer_limit)
        known = [limit for limit in limits if limit is not None]
        if known:
            ceilings[f"buyer:{order.account}:{line.offer}"] = min(known)
    return tuple(
        Counter(one.name, one.delta, 0, ceilings[one.name]) if one.name in ceilings else one for one in counters
    )
