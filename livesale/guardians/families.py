"""Commands on families: join, remove, take back, declare, freeze. Each is one commit on the minor's `person:` shelf.

The rows in SQL follow: at once by whoever committed, and again by the reader (`copied`), so that a crash between loses
none. Links from before families had a record are read from their rows until the first commit writes one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.signins import check_fresh
from livesale.guardians import family as rules
from livesale.guardians import store as rows
from livesale.guardians.family import FAMILY, Authority, Family, Mode, Tie
from livesale.guardians.store import Link
from livesale.kernel.actor import Actor
from livesale.kernel.ids import shelf
from livesale.kernel.refusals import not_found
from livesale.store.database import reading
from livesale.store.decision import Decision
from livesale.store.record import encode, version
from livesale.store.valkey import Records, Store, Versioned


@dataclass(frozen=True, slots=True)
class Families:
    """Who decides for whom, and whether anything may be bought at all."""

    store: Store
    database: AsyncEngine

    async def of(self, minor: str) -> Family:
        """The minor's family as it is now, read through."""
        stored = (await self.store.read(shelf("person", minor), FAMILY))[FAMILY]
        return rules.family_in(stored) if stored else Family(await self._older(minor))

    async def links_of(self, account: str) -> list[Link]:
        """The account's links that count now, as minor or as guardian: who to ask `of` about."""
        async with reading(self.database) as connection:
            found = await rows.links_of(connection, account)
        return [link for link in found if link.active(self.store.now_ms())]

    async def join(self, minor: str, tie: Tie, by: str, act: str = "", invitation: str = "") -> Tie:
        """Link a guardian, or verify a link there is; an invitation is used up in the same commit."""

        def decide(records: Records, now_ms: int) -> Decision:
            return rules.joined(records, minor, tie, now_ms, by, invitation)

        await self._act(minor, decide, act, *([f"invitation:{invitation}"] if invitation else []))
        return await self._tie(minor, tie.guardian)

    async def remove(self, actor: Actor, link: str, act: str = "") -> tuple[str, Tie]:
        """Ask for a link's removal, by either side; it takes effect after a day. The minor, and the tie."""
        return await self._changed(actor, link, rules.ending, act)

    async def keep(self, actor: Actor, link: str, act: str = "") -> tuple[str, Tie]:
        """Take the removal back."""
        return await self._changed(actor, link, rules.kept, act)

    async def end(self, on_shelf: str, link: str) -> None:
        """What the mark `link:ID` does."""
        minor = on_shelf.partition(":")[2]
        await self._act(minor, lambda records, now: rules.ended(records, minor, link, now))

    async def declare(self, actor: Actor, minor: str, mode: Mode, authority: Authority, act: str = "") -> Family:
        """How the guardian decides beside others."""
        check_fresh(actor, self.store.now_ms())
        guardian = actor.account
        await self._act(minor, lambda records, now: rules.declared(records, minor, guardian, mode, authority, now), act)
        return await self.of(minor)

    async def freeze(self, actor: Actor, minor: str, on: bool, act: str = "") -> Family:
        """Stop all buying of a ward at once, or let it go on; only letting go on needs a fresh proof."""
        if not on:
            check_fresh(actor, self.store.now_ms())
        await self._act(minor, lambda records, now: rules.frozen(records, minor, actor.account, on, now), act)
        return await self.of(minor)

    async def copied(self, minor: str) -> None:
        """Bring the rows in SQL up to the record."""
        stored = (await self.store.read(shelf("person", minor), FAMILY))[FAMILY]
        ties = rules.family_in(stored).ties
        found = [Link(one.id, minor, one.guardian, one.verified, one.since, one.ends_at) for one in ties]
        for last in (False, True):
            try:
                async with self.database.begin() as connection:
                    return await rows.copy(connection, found, version(stored))
            except IntegrityError:  # somebody else wrote the same row first
                if last:
                    raise

    async def _changed(
        self, actor: Actor, link: str, rule: Callable[[Records, str, str, str, int], Decision], act: str
    ) -> tuple[str, Tie]:
        check_fresh(actor, self.store.now_ms())
        mine = next((one for one in await self.links_of(actor.account) if one.id == link), None)
        if mine is None:
            raise not_found("family link")
        await self._act(mine.minor, lambda records, now: rule(records, mine.minor, link, actor.account, now), act)
        return mine.minor, await self._tie(mine.minor, mine.guardian)

    async def _act(self, minor: str, decide: Callable[[Records, int], Decision], act: str = "", *names: str) -> None:
        older = Versioned(0, encode(Family(await self._older(minor))))

        def first(records: Records, now_ms: int) -> Decision:
            return decide(records if records[FAMILY] else {**records, FAMILY: older}, now_ms)

        await self.store.act(shelf("person", minor), (FAMILY, *names), first, act)
        await self.copied(minor)

    async def _tie(self, minor: str, guardian: str) -> Tie:
        found = next((tie for tie in (await self.of(minor)).ties if tie.guardian == guardian), None)
        if found is None:
            raise not_found("family link")
        return found

    async def _older(self, minor: str) -> list[Tie]:
        async with reading(self.database) as connection:
            found = await rows.guardians_of(connection, minor)
        return [Tie(one.id, one.guardian, one.active_since, one.verified, one.ends_at) for one in found]
