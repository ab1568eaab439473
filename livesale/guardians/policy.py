"""Policy: who may buy alone, and who may ask a guardian, by band and by what the law of the place says; pure.

A gate stays shut whatever a guardian says (JuSchG §§ 9, 10 and the like): consent is about money, a gate about goods.
"""

from __future__ import annotations

from collections.abc import Iterable

from livesale.accounts.model import Band, Place, old_enough
from livesale.kernel.refusals import Refusal

NO_GATE = 0


def check_may_buy(place: Place, gates: Iterable[int | None]) -> None:
    """Refuse an adult what takes more than being one there (21 for alcohol, where majority is 18)."""
    needed = max((place.gates[gate] for gate in gates if gate is not None), default=NO_GATE)
    if needed > place.majority:
        raise Refusal("forbidden", f"This product is sold from {needed} on where you live, and we do not know that you are.")


def check_may_request(band: Band, place: Place, gates: Iterable[int | None]) -> None:
    """Refuse a request of whoever is too young to make one there, or lives where nobody may, or asks for a gated product."""
    if place.requests_from is None:
        raise Refusal("forbidden", "We sell to adults only where you live. An adult must buy this.")
    if not old_enough(band, place.requests_from, place):
        raise Refusal("forbidden", "An adult must buy this for you.")
    if any(gate is not None for gate in gates):
        raise Refusal("forbidden", "This product is for adults only, whoever agrees.")
