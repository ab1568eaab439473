"""Commands on allowances: grant, and read with what is left of the month."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livesale.accounts.signins import check_fresh
from livesale.guardians import allowance as rules
from livesale.guardians import places
from livesale.guardians.allowance import ALLOWANCE, Allowance
from livesale.guardians.families import Families
from livesale.guardians.family import FAMILY
from livesale.guardians.service import AgeOf
from livesale.kernel.actor import Actor
from livesale.kernel.ids import shelf
from livesale.kernel.refusals import Refusal, not_found
from livesale.store.decision import Decision
from livesale.store.record import load
from livesale.store.valkey import Records

CountryOf = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """An allowance and what is spent of it in the ward's present month."""

    allowance: Allowance
    month: str
    spent: int


@dataclass(frozen=True, slots=True)
class Allowances:
    """What guardians agree to in advance."""

    families: Families
    age_of: AgeOf
    country_of: CountryOf

    async def grant(self, actor: Actor, minor: str, wish: Allowance, act: str = "") -> Standing:
        """Set it, freshly proven, by a guardian who could approve."""
        store = self.families.store
        check_fresh(actor, store.now_ms())
        await self._check_may(actor.account, minor)

        def decide(records: Records, _now_ms: int) -> Decision:
            return rules.granted(records, minor, wish)

        await store.act(shelf("person", minor), (ALLOWANCE, FAMILY), decide, act)
        return await self.standing(actor, minor)

    async def standing(self, actor: Actor, minor: str) -> Standing:
        """For the minor and the guardians; to anyone else there is none."""
        store = self.families.store
        family = await self.families.of(minor)
        if actor.account != minor and family.of(actor.account, store.now_ms()) is None:
            raise not_found("ward")
        on_shelf = shelf("person", minor)
        found = load(Allowance, (await store.read(on_shelf, ALLOWANCE))[ALLOWANCE]) or Allowance("", 0, 0, "EUR", 0)
        month = places.month(store.now_ms(), await self.country_of(minor))
        counter = rules.spent(month, found.currency)
        return Standing(found, month, (await store.counters(on_shelf, counter))[counter])

    async def _check_may(self, guardian: str, minor: str) -> None:
        now_ms = self.families.store.now_ms()
        tie = (await self.families.of(minor)).of(guardian, now_ms)
        if tie is None:
            raise not_found("ward")
        adult, verified = await self.age_of(guardian)
        if not adult or not (verified or tie.verified):
            raise Refusal("forbidden", "Only an adult whose age has been verified can agree in advance.")
        if not tie.stands(now_ms):
            raise Refusal("forbidden", "A new family link can agree after 24 hours.")
