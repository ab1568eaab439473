"""What the machines of a family share: mia and her two parents, and the moves that a request of hers may make."""

from __future__ import annotations

from typing import Any, ClassVar

from livesale.guardians.family import FAMILY, Family, Tie
from livesale.guardians.model import MOVES
from livesale.kernel.actor import Actor
from livesale.store.decision import Decision, Put
from livesale.store.record import encode
from tests.guardians.laws import PARENTS
from tests.support.family import House
from tests.support.machine import Machine

MIA = "person:mia"


class OfMia(Machine):
    """`states` are those of the requests, as the log told them."""

    begins: ClassVar[tuple[str, ...]]  # the states in which a request comes into the world
    guardians: House

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, str] = {}

    async def set_up(self) -> None:
        self.guardians = House(self.market.store, self.market.shelf)
        ties = [Tie(f"fl_{parent}", parent, 0, verified=True) for parent in PARENTS]
        await self.market.store.commit(Decision(MIA, puts=(Put(FAMILY, 0, encode(Family(ties))),)))

    def follow(self, event: dict[str, Any]) -> None:
        """A request goes by its table, from where it was."""
        was = self.states.get(event["approval"], "")
        assert event["before"] == was
        assert event["state"] in (MOVES.get(was, set()) | {was} if was else self.begins)
        self.states[event["approval"]] = event["state"]
        self.seen.add(event["state"])

    def actor(self, who: str) -> Actor:
        """A guardian who has just proved who they are."""
        return Actor(who, frozenset({"guardian"}), stepped_up_ms=self.market.store.now_ms())
