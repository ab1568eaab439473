"""Families: the rules of links between a minor and guardians, pure. One record, `family`, on the minor's `person:` shelf.

Law: the record is the authority for who may decide and whether anything may be asked at all (a freeze); the rows in SQL
are copies to find it by. Whoever approves, captures or sets an allowance aside reads it, or expects its version.
A link ends by the store's clock on that shelf: 24 h after its removal was asked for, until when it can be taken back.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from livesale.guardians.events import CAPTURE_BEGUN, FAMILY_FROZEN, LINK_CHANGED
from livesale.guardians.model import LINK_MUST_STAND_MS
from livesale.kernel.clock import DAY_MS, SECOND_MS
from livesale.kernel.events import Event
from livesale.kernel.ids import shelf
from livesale.kernel.refusals import Refusal, not_found
from livesale.store.decision import Decision, Mark
from livesale.store.record import load, put, version
from livesale.store.valkey import Records, Versioned

ENDS_AFTER_MS = DAY_MS
SWEPT_AGAIN_MS = 10 * SECOND_MS  # by then every checkout that had begun before is in the lists
MOST_GUARDIANS = 6  # of one minor, at once
ALONE_BELOW = 10_000  # minor units: what one of several guardians may agree to without the others (§ 1629 BGB)
FAMILY = "family"

Mode = Literal["any", "all"]
# Who represents the minor, as the guardian declares it: together with the other (§ 1629 (1) BGB), alone, or each for both.
Authority = Literal["joint", "sole", "mutual"]


class Tie(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guardian's link; times in ms. `ends_at`: when its removal takes effect; one in the past has ended.

    `mode` is what this guardian wishes: `all` of any one of them holds for the family. `authority` is the guardian's
    own declaration, with when it was made.
    """

    id: str
    guardian: str
    since: int
    verified: bool = False
    ends_at: int | None = None
    mode: Mode = "any"
    authority: Authority = "joint"
    declared_at: int = 0

    def active(self, now_ms: int) -> bool:
        """Whether it counts now."""
        return self.since <= now_ms and (self.ends_at is None or now_ms < self.ends_at)

    def stands(self, now_ms: int) -> bool:
        """Whether it is enough to say yes: a fresh one is not, unless an operator has checked it."""
        return self.active(now_ms) and (self.verified or now_ms - self.since >= LINK_MUST_STAND_MS)


class Family(msgspec.Struct, frozen=True, omit_defaults=True):
    """A minor's guardians, one tie for each there ever was; `frozen_by`: who has stopped all buying."""

    ties: list[Tie] = []
    frozen_by: str = ""
    frozen_at: int = 0

    def active(self, now_ms: int) -> list[Tie]:
        """The ties that count now."""
        return [tie for tie in self.ties if tie.active(now_ms)]

    def of(self, guardian: str, now_ms: int) -> Tie | None:
        """The guardian's own tie, if it counts now."""
        return next((tie for tie in self.active(now_ms) if tie.guardian == guardian), None)

    def asks(self, total: int, now_ms: int) -> frozenset[str]:
        """The guardians who must all agree to a purchase of `total`; empty: any one of them may."""
        ties = self.active(now_ms)
        if len(ties) < 2:
            return frozenset()
        together = total >= ALONE_BELOW and any(tie.authority == "joint" for tie in ties)
        if together or any(tie.mode == "all" for tie in ties):
            return frozenset(tie.guardian for tie in ties)
        return frozenset()


def family_in(stored: Versioned | None) -> Family:
    """The family as its record says; without one, nobody's."""
    return load(Family, stored) or Family()


class Used(msgspec.Struct, frozen=True):
    """The record `invitation:ID`: it has been accepted, so it never is again."""

    by: str


def joined(records: Records, minor: str, tie: Tie, now_ms: int, by: str, invitation: str = "") -> Decision:
    """A guardian's link begins, or begins again after it had ended; one that is active can only become verified."""
    decision = _joined(records, minor, tie, now_ms, by)
    if not invitation:
        return decision
    name = f"invitation:{invitation}"
    if records[name] is not None:
        raise Refusal("gone", "This invitation has been used.")
    return replace(decision, puts=(*decision.puts, put(name, None, Used(by))))


def _joined(records: Records, minor: str, tie: Tie, now_ms: int, by: str) -> Decision:
    family = family_in(records[FAMILY])
    was = next((one for one in family.ties if one.guardian == tie.guardian), None)
    if was is not None and was.active(now_ms):
        if was.ends_at is None and was.verified >= tie.verified:
            return Decision(shelf("person", minor), marks=(_due(was),))  # as it is
        after = replace(was, verified=was.verified or tie.verified, ends_at=None)
        told = _told(minor, after, "active", "active", by, now_ms)
        return _write(records, minor, _with(family, after), told, _due(after))
    if len(family.active(now_ms)) >= MOST_GUARDIANS:
        raise Refusal("limit_reached", f"A minor has at most {MOST_GUARDIANS} guardians.")
    after = replace(tie, id=was.id if was else tie.id)
    told = _told(minor, after, "active", "ended" if was else "", by, now_ms)
    return _write(records, minor, _with(family, after), told, _due(after))


def ending(records: Records, minor: str, link: str, by: str, now_ms: int) -> Decision:
    """Removal asked for, by either side: it takes effect after a day. Again: nothing new."""
    family, tie = _found(records, link, now_ms)
    if tie.ends_at is not None:
        raise Refusal("conflict", "This link is being removed already.", [{"state": "ending"}])
    after = replace(tie, ends_at=now_ms + ENDS_AFTER_MS)
    return _write(records, minor, _with(family, after), _told(minor, after, "ending", "active", by, now_ms), _due(after))


def kept(records: Records, minor: str, link: str, by: str, now_ms: int) -> Decision:
    """The removal is taken back, by either side, as long as it has not taken effect."""
    family, tie = _found(records, link, now_ms)
    if tie.ends_at is None:
        raise Refusal("conflict", "This link is not being removed.", [{"state": "active"}])
    after = replace(tie, ends_at=None)
    return _write(records, minor, _with(family, after), _told(minor, after, "kept", "ending", by, now_ms), _due(after))


def ended(records: Records, minor: str, link: str, now_ms: int) -> Decision:
    """What the clock of a removal does: told once, and what only this guardian could decide is looked for."""
    mark = Mark("due", f"link:{link}", None)
    tie = next((one for one in family_in(records[FAMILY]).ties if one.id == link), None)
    if tie is None or tie.ends_at is None:
        return Decision(shelf("person", minor), marks=(mark,))
    decision = _write(records, minor, family_in(records[FAMILY]), _told(minor, tie, "ended", "ending", "", now_ms), mark)
    return replace(decision, marks=(mark, _sweep(minor, now_ms)), not_before=tie.ends_at)


def declared(
    records: Records, minor: str, guardian: str, mode: Mode, authority: Authority, now_ms: int
) -> Decision:
    """How a guardian wishes to decide beside others, and the declaration of whom they represent the minor with."""
    family = family_in(records[FAMILY])
    tie = family.of(guardian, now_ms)
    if tie is None:
        raise not_found("ward")
    after = replace(tie, mode=mode, authority=authority, declared_at=now_ms)
    return _write(records, minor, _with(family, after), _told(minor, after, "declared", "active", guardian, now_ms), _due(after))


def frozen(records: Records, minor: str, guardian: str, on: bool, now_ms: int) -> Decision:
    """All buying stops at once, or goes on again: by whoever stopped it, while they are a guardian, else by any other."""
    family = family_in(records[FAMILY])
    if family.of(guardian, now_ms) is None:
        raise not_found("ward")
    if bool(family.frozen_by) == on:
        raise Refusal("conflict", "It is stopped already." if on else "It is not stopped.")
    by = family.frozen_by
    if not on and by != guardian and family.of(by, now_ms) is not None:
        raise Refusal("forbidden", "The other guardian has stopped this. Only they can let it go on.")
    after = replace(family, frozen_by=guardian if on else "", frozen_at=now_ms if on else 0)
    told: Event = {"type": FAMILY_FROZEN, "minor": minor, "state": "frozen" if on else "thawed", "by": guardian, "at": now_ms}
    decision = _write(records, minor, after, told)
    return replace(decision, marks=(_sweep(minor, now_ms),)) if on else decision


class Stopped(Exception):
    """A guardian has stopped all buying before this."""


def capture_begins(records: Records, minor: str, order: str, now_ms: int) -> Decision:
    """The money of a ward's order is about to be taken. The family's record is written again as it is, so that of this and
    a stop at the same moment one comes first, and the other is decided anew; Stopped once a stop has.
    """
    family, told = family_in(records[FAMILY]), {"type": CAPTURE_BEGUN, "minor": minor, "order": order, "at": now_ms}
    if family.frozen_by:
        raise Stopped
    if records[FAMILY] is None:  # its ties are still in their rows: a stop would write the first record
        return Decision(shelf("person", minor), expect=((FAMILY, version(None)),), events=(told,))
    return _write(records, minor, family, told)


def swept(minor: str) -> Decision:
    """The second look after a freeze or a link's end is done."""
    return Decision(shelf("person", minor), marks=(Mark("due", f"sweep:{minor}", None),))


def _sweep(minor: str, now_ms: int) -> Mark:
    return Mark("due", f"sweep:{minor}", now_ms + SWEPT_AGAIN_MS)


def _due(tie: Tie) -> Mark:
    return Mark("due", f"link:{tie.id}", tie.ends_at)


def _found(records: Records, link: str, now_ms: int) -> tuple[Family, Tie]:
    family = family_in(records[FAMILY])
    tie = next((one for one in family.active(now_ms) if one.id == link), None)
    if tie is None:
        raise not_found("family link")
    return family, tie


def _with(family: Family, tie: Tie) -> Family:
    return replace(family, ties=[*(one for one in family.ties if one.guardian != tie.guardian), tie])


def _write(records: Records, minor: str, family: Family, told: Event, *marks: Mark) -> Decision:
    return Decision(shelf("person", minor), puts=(put(FAMILY, records[FAMILY], family),), marks=marks, events=(told,))


def _told(minor: str, tie: Tie, state: str, before: str, by: str, now_ms: int) -> Event:
    return {
        "type": LINK_CHANGED, "link": tie.id, "minor": minor, "guardian": tie.guardian, "state": state, "before": before,
        "verified": tie.verified, "since": tie.since, "until": tie.ends_at or 0, "mode": tie.mode,
        "authority": tie.authority, "by": by, "at": now_ms,
    }  # fmt: skip
