"""Commands on approvals: approve, decline, revoke, extend, and what their clock does. Each is one commit; orders react."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.guardians import model
from livesale.guardians.families import Families
from livesale.guardians.family import Family, swept
from livesale.guardians.model import Approval, Guardian
from livesale.guardians.store import Link
from livesale.kernel.actor import Actor
from livesale.kernel.ids import name_from, shelf_of
from livesale.kernel.refusals import Refusal, not_found
from livesale.store.decision import Decision, Mark
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store

# (account id) -> (adult now, age verified by more than the account's own word)
AgeOf = Callable[[str], Awaitable[tuple[bool, bool]]]
SellerOf = Callable[[Approval], Awaitable[str]]  # the account that sells what is asked for
OpenOf = Callable[[str], Awaitable[list[str]]]  # (minor) -> its requests that have not ended, at most a second old


@dataclass(frozen=True, slots=True)
class Guardians:
    """The commands of the guardians room."""

    store: Store
    database: AsyncEngine
    age_of: AgeOf
    seller_of: SellerOf
    open_of: OpenOf

    @property
    def families(self) -> Families:
        """Who decides for whom."""
        return Families(self.store, self.database)

    async def links_of(self, account: str) -> list[Link]:
        """The account's family links that count now."""
        return await self.families.links_of(account)

    async def family_of(self, minor: str) -> Family:
        """The minor's family, read through."""
        return await self.families.of(minor)

    async def check_may_ask(self, minor: str) -> None:
        """Refused when nobody could be asked, or a guardian has stopped all buying."""
        family = await self.family_of(minor)
        if not family.active(self.store.now_ms()):
            raise Refusal("forbidden", "Please invite your guardian first: no guardian is linked to your account.")
        if family.frozen_by:
            raise Refusal("forbidden", "Requests are paused for your account. Please talk to your guardians.")

    async def seen(self, actor: Actor, approval_id: str) -> Approval:
        """The request, for the minor who made it or a guardian; to anyone else it does not exist."""
        approval = await self._load(approval_id)
        if actor.account != approval.minor:
            model.check_may_see(approval, await self.guardian(actor.account, approval))
            if approval.state in ("requested", "asked"):
                await self._note_seen(actor.account, approval)
        return approval

    async def _note_seen(self, guardian: str, approval: Approval) -> None:
        """That a guardian had it before them, once a day; it decides nothing and makes no time longer."""
        shelf = shelf_of(approval.id, "ap") or ""

        def decide(_records: Records, now_ms: int) -> Decision:
            return Decision(shelf, events=(model.seen_event(approval, guardian, now_ms),))

        await self.store.act(shelf, (), decide, name_from(f"seen {approval.id} {approval.state} {guardian}"))

    async def approve(self, actor: Actor, approval_id: str, told_digest: str, token: str, act: str = "") -> Approval:
        """Consent, pay with the guardian's own method; orders takes it from here."""
        approval = await self._load(approval_id)
        family = await self.family_of(approval.minor)
        guardian = await self.guardian(actor.account, approval, family, actor.stepped_up_ms)
        everyone = family.asks(approval.total, self.store.now_ms())

        def decide(records: Records, now_ms: int) -> Decision:
            now = _approval(records, approval_id)
            model.check_may_approve(now, guardian, told_digest, now_ms)
            if family.frozen_by:
                raise Refusal("forbidden", "Buying is stopped for this account. Let it go on before you agree.")
            if now.state == "requested" and now.terms != model.TERMS_VERSION:  # what it was asked under is over
                return _write(records, now, model.moved(now, "superseded"))
            return _write(records, now, model.agreed(now, actor.account, token, everyone, now_ms))

        after = await self._act(approval_id, decide, act)
        if after.state == "superseded":
            raise Refusal("superseded", "The terms have changed. Please look at the request again.")
        return after

    async def decline(self, actor: Actor, approval_id: str, act: str = "") -> Approval:
        """Say no; the units go back, and after the sale the money."""
        return await self._decide(actor, approval_id, act, lambda now, at: model.declined(now, actor.account, at))

    async def ratify(self, actor: Actor, approval_id: str, told_digest: str, act: str = "") -> Approval:
        """Agree to what has been bought already (§ 108 BGB); nothing is paid, orders let it be sent."""
        approval = await self._load(approval_id)
        family = await self.family_of(approval.minor)
        guardian = await self.guardian(actor.account, approval, family, actor.stepped_up_ms)
        everyone = family.asks(approval.total, self.store.now_ms())

        def decide(records: Records, now_ms: int) -> Decision:
            now = _approval(records, approval_id)
            model.check_may_approve(now, guardian, told_digest, now_ms)
            if family.frozen_by and now.state == "asked":
                raise Refusal("forbidden", "Buying is stopped for this account. Let it go on before you agree.")
            return _write(records, now, model.ratified(now, actor.account, everyone, now_ms))

        return await self._act(approval_id, decide, act)

    async def revoke(self, actor: Actor, approval_id: str, act: str = "") -> Approval:
        """Take consent back, as long as nothing is captured; orders let the payment go."""
        return await self._decide(actor, approval_id, act, lambda now, at: model.revoked(now, actor.account, at))

    async def extend(self, actor: Actor, approval_id: str, act: str = "") -> Approval:
        """Have the units held for as long again, once."""
        return await self._decide(actor, approval_id, act, model.extended)

    async def void_what_is_over(self, minor: str) -> None:
        """After a freeze or a link's end: open requests that nobody may decide any more end, each once."""
        family = await self.family_of(minor)
        if family.frozen_by:
            ending = {"requested", "approved"}
        elif not family.active(self.store.now_ms()):
            ending = {"requested"}
        else:
            return
        for approval_id in await self.open_of(minor):
            await self._void(approval_id, ending)

    async def sweep(self, minor: str) -> None:
        """What the mark `sweep:MINOR` does: look once more, for requests that were being made at that moment."""
        await self.void_what_is_over(minor)
        await self.store.commit(swept(minor))

    async def _void(self, approval_id: str, of_states: set[str]) -> None:
        shelf = shelf_of(approval_id, "ap")
        if shelf is None:
            return
        name = f"approval:{approval_id}"

        def decide(records: Records, _now_ms: int) -> Decision:
            now = load(Approval, records[name])
            if now is None or now.state not in of_states:
                return Decision(shelf, marks=(Mark("due", name, model.due(now) if now else None),))  # as it is
            return _write(records, now, model.moved(now, "void", token=""))

        await self.store.act(shelf, (name,), decide)

    async def run_out(self, approval_id: str) -> None:
        """What the approval's clock does: a request expires, consent that was not paid for lapses, silence is a refusal."""
        shelf = shelf_of(approval_id, "ap")
        if shelf is None:
            return
        name = f"approval:{approval_id}"
        found = load(Approval, (await self.store.read(shelf, name))[name])
        grown = found is not None and found.grown_at > 0 and await self._has_grown(found.minor)

        def decide(records: Records, now_ms: int) -> Decision:
            now = load(Approval, records[name])
            due = model.due(now) if now else None
            if now is None or due is None:
                return Decision(shelf, marks=(Mark("due", name, None),))
            return _write(records, now, model.timed_out(now, grown), not_before=due)

        await self.store.act(shelf, (name,), decide)

    async def _has_grown(self, minor: str) -> bool:
        try:
            return (await self.age_of(minor))[0]
        except Refusal as refusal:
            if refusal.code != "not_found":
                raise
            return False  # erased: there is nobody to hand the question to

    async def _load(self, approval_id: str) -> Approval:
        shelf = shelf_of(approval_id, "ap")
        if shelf is None:
            raise not_found("request")
        return _approval(await self.store.read(shelf, f"approval:{approval_id}"), approval_id)

    async def guardian(
        self, account: str, approval: Approval, family: Family | None = None, stepped_up_ms: int = 0
    ) -> Guardian:
        """What the rules need to know of an account that would decide about this request."""
        known = family or await self.family_of(approval.minor)
        tie = known.of(account, self.store.now_ms())
        adult, verified = await self.age_of(account)
        return Guardian(
            account, adult, verified, tie.since if tie else None, bool(tie and tie.verified),
            await self.seller_of(approval) == account, stepped_up_ms, (await self.age_of(approval.minor))[0],
        )  # fmt: skip

    async def _decide(
        self, actor: Actor, approval_id: str, act: str, move: Callable[[Approval, int], Approval]
    ) -> Approval:
        """The move of whoever's question it is, for which they need no fresh proof."""
        guardian = await self.guardian(actor.account, await self._load(approval_id))

        def decide(records: Records, now_ms: int) -> Decision:
            now = _approval(records, approval_id)
            model.check_may_decide(now, guardian)
            return _write(records, now, move(now, now_ms))

        return await self._act(approval_id, decide, act)

    async def _act(self, approval_id: str, decide: Callable[[Records, int], Decision], act: str) -> Approval:
        shelf = shelf_of(approval_id, "ap")
        if shelf is None:
            raise not_found("request")
        await self.store.act(shelf, (f"approval:{approval_id}",), decide, act)
        return await self._load(approval_id)


def _approval(records: Records, approval_id: str) -> Approval:
    approval = load(Approval, records[f"approval:{approval_id}"])
    if approval is None:
        raise not_found("request")
    return approval


def _write(records: Records, before: Approval, after: Approval, not_before: int | None = None) -> Decision:
    name = f"approval:{before.id}"
    shelf = shelf_of(before.id, "ap") or ""
    return Decision(
        shelf,
        puts=(put(name, records[name], after),),
        marks=(Mark("due", name, model.due(after)),),
        not_before=not_before,
        events=(model.approval_event(before, after),),
    )
