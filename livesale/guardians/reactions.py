"""What the guardians room does when a family has changed: rows follow the record, and requests nobody decides end."""

from __future__ import annotations

from dataclasses import dataclass

from livesale.guardians.events import FAMILY_FROZEN, LINK_CHANGED
from livesale.guardians.service import Guardians
from livesale.kernel.events import Event
from livesale.store.readers import Reaction


@dataclass(frozen=True, slots=True)
class FamilyReactions:
    """The family's part of the reader; a repetition finds the work done."""

    guardians: Guardians

    def reactions(self) -> tuple[Reaction, ...]:
        """The events it takes."""
        return (
            Reaction(LINK_CHANGED, self._copied),
            Reaction(LINK_CHANGED, self._over, frozenset({"ended"})),
            Reaction(FAMILY_FROZEN, self._over, frozenset({"frozen"})),
        )

    async def _copied(self, _shelf: str, event: Event) -> None:
        await self.guardians.families.copied(event["minor"])

    async def _over(self, _shelf: str, event: Event) -> None:
        await self.guardians.void_what_is_over(event["minor"])
