"""The line for a sold-out offer: the rules, pure. One `Wait` record an account and offer; none: not in the line.

`waiting → offered`; ends taken (by an order), left, expired, closed. The place in line is the log position of the
commit that joined (a sorted mark), so a thousand joins touch no record in common. Units: `free → offered → held`.
Law: while `waiting:OFFER` is above zero nothing takes free units but the head of the line. Every order that takes free
units guards that counter (`model.nobody_waits`), so it holds at the commit, whatever was read before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal, not_found
from livesale.orders.events import WAITLIST_CHANGED
from livesale.shows.model import LINE, Offer, Show, on_air
from livesale.store.decision import NEXT_SEQ, Counter, Decision, Mark
from livesale.store.record import load, put, version
from livesale.store.valkey import Records

MOST_AT_ONCE = 100  # places moved by one commit: each writes a record and two marks, of 500 writes a commit may do


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account's place in the line of an offer; `until` (ms) is when `quantity` units offered to it go on."""

    account: str
    offer: str
    quantity: int
    state: str = "waiting"
    until: int = 0


class InLine(Exception):
    """The account has its place already."""


class NotInLine(Exception):
    """The account has no place (any more)."""


def record_name(offer: str, account: str) -> str:
    """The record of an account's place."""
    return f"wait:{offer}:{account}"


def in_order(offer: str) -> str:
    """The index of those who wait, by the position at which they joined."""
    return f"waitlist:{offer}"


def with_units(offer: str) -> str:
    """The index of those who are offered units, by the end of their time."""
    return f"offered:{offer}"


def join(on_shelf: str, records: Records, account: str, offer_id: str, quantity: int, *, behind: bool) -> Decision:
    """Go to the end of the line: of an offer nothing is left of or, with `behind`, of one that others wait for."""
    show, offer = on_air(load(Show, records["show"])), load(Offer, records[f"offer:{offer_id}"])
    if offer is None:
        raise not_found("offer in this show")
    name = record_name(offer_id, account)
    if records[name] is not None:
        raise InLine
    if show.waitlist != LINE:
        raise Refusal("conflict", "There is no waiting list: units that come free go to whoever pays first.")
    if not offer.tracked:
        raise Refusal("conflict", "This product does not sell out. You can buy it now.")
    wait = Wait(account, offer_id, quantity)
    guards = [Counter(f"waiting:{offer_id}", 1, 2 if behind else 0)]
    if not behind:
        guards.append(Counter(f"free:{offer_id}", 0, None, 0))
    if offer.per_buyer_limit is not None:
        guards.append(Counter(f"buyer:{account}:{offer_id}", 0, None, offer.per_buyer_limit - quantity))
    return Decision(
        on_shelf,
        expect=tuple((read, version(records[read])) for read in ("show", f"offer:{offer_id}")),
        counters=tuple(guards),
        puts=(put(name, None, wait),),
        marks=(Mark(in_order(offer_id), account, NEXT_SEQ),),
        events=(wait_event(None, wait),),
    )


def serve(
    on_shelf: str, records: Records, offer_id: str, heads: Sequence[str], free: int, until: int
) -> Decision | None:
    """Offer `free` units to the heads of the line, in its order: to each what it wants or, to the last, what is left.

    Strictly first come, first served: a small wish further back does not pass a large one. None: nothing to offer.
    """
    puts, marks, told, given = [], [], [], 0
    for account in heads:
        name = record_name(offer_id, account)
        wait = load(Wait, records[name])
        if wait is None or wait.state != "waiting" or given >= free:
            break
        after = msgspec.structs.replace(
            wait, state="offered", quantity=min(wait.quantity, free - given), until=until
        )
        given += after.quantity
        puts.append(put(name, records[name], after))
        marks += [
            Mark(in_order(offer_id), account, None),
            Mark(with_units(offer_id), account, until),
            Mark("due", f"offered:{offer_id}:{account}", until),
        ]
        told.append(wait_event(wait, after))
    if not puts:
        return None
    return Decision(
        on_shelf,
        expect=(("show", version(records["show"])),),
        counters=(
            Counter(f"waiting:{offer_id}", -len(puts)),
            Counter(f"free:{offer_id}", -given),
            Counter(f"offered:{offer_id}", given),
        ),
        puts=tuple(puts),
        marks=tuple(marks),
        events=tuple(told),
    )


def end(on_shelf: str, records: Records, offer_id: str, accounts: Sequence[str], state: str) -> Decision | None:
    """Take accounts out of the line, their units come free: left, expired or closed. None: they are out already."""
    counters: list[Counter] = []
    drops, marks, told = [], [], []
    for account in accounts:
        name = record_name(offer_id, account)
        wait = load(Wait, records[name])
        if wait is None:
            continue
        drops.append((name, version(records[name])))
        marks += gone(wait)
        told.append(wait_event(wait, msgspec.structs.replace(wait, state=state)))
        if wait.state == "offered":
            counters += [Counter(f"offered:{offer_id}", -wait.quantity), Counter(f"free:{offer_id}", wait.quantity)]
        else:
            counters.append(Counter(f"waiting:{offer_id}", -1))
    if not drops:
        return None
    return Decision(on_shelf, counters=tuple(counters), drops=tuple(drops), marks=tuple(marks), events=tuple(told))


def run_out(on_shelf: str, records: Records, offer_id: str, account: str) -> Decision:
    """What the deadline of offered units does; before its time the store refuses it."""
    wait = load(Wait, records[record_name(offer_id, account)])
    decision = None
    if wait is not None and wait.state == "offered":
        decision = end(on_shelf, records, offer_id, (account,), "expired")
    if wait is None or decision is None:
        return Decision(on_shelf, marks=(Mark("due", f"offered:{offer_id}:{account}", None),))
    return msgspec.structs.replace(decision, not_before=wait.until)


def take(hold: Decision, turn: Wait, turn_version: int, wanted: int) -> Decision:
    """A hold's Decision, with `wanted` units from those its buyer is offered; what is not wanted comes free."""
    name, free = record_name(turn.offer, turn.account), f"free:{turn.offer}"
    kept = tuple(one for one in hold.counters if one.name not in (free, f"waiting:{turn.offer}"))
    rest = (Counter(free, turn.quantity - wanted),) if wanted < turn.quantity else ()
    return msgspec.structs.replace(
        hold,
        expect=tuple(row for row in hold.expect if row[0] != name),
        counters=(*kept, Counter(f"offered:{turn.offer}", -turn.quantity), *rest),
        drops=(*hold.drops, (name, turn_version)),
        marks=(*hold.marks, *gone(turn)),
        events=(*hold.events, wait_event(turn, msgspec.structs.replace(turn, state="taken"))),
    )


def gone(wait: Wait) -> list[Mark]:
    """The marks of a place that is given up."""
    if wait.state == "waiting":
        return [Mark(in_order(wait.offer), wait.account, None)]
    return [
        Mark(with_units(wait.offer), wait.account, None),
        Mark("due", f"offered:{wait.offer}:{wait.account}", None),
    ]


def wait_event(before: Wait | None, after: Wait) -> Event:
    """The fact of a change, for its owner."""
    return {
        "type": WAITLIST_CHANGED,
        "owner": after.account,
        "offer": after.offer,
        "state": after.state,
        "before": before.state if before else "",
        "quantity": after.quantity,
        "until": after.until or None,
    }


def notice(event: Event) -> Event:
    """The fact as its owner's page reads it."""
    told: dict[str, Any] = {name: event[name] for name in ("type", "owner", "offer", "state", "quantity")}
    return {**told, "about": "waitlist", "until": rfc3339(event["until"]) if event["state"] == "offered" else None}
