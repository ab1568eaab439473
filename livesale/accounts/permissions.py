"""Permissions: the one table of who may do what. Whose show, order or ward it is, the services check.

Deciding for a ward is open to every role: the link to the ward gives the right to it, not a role.
"""

from __future__ import annotations

from livesale.kernel.actor import Actor
from livesale.kernel.refusals import Refusal

_ANY_ACCOUNT = frozenset(
    {"chat.write", "reaction.send", "order.create", "order.read", "order.cancel", "order.withdraw"}
    | {"waitlist.join", "guardian.invite", "guardian.accept", "link.read", "link.end"}
    | {"approval.read", "approval.decide", "allowance.change", "consent.change"}
)
_RUN_SHOWS = frozenset(
    {"shop.feed", "show.create", "show.run", "offer.change", "pin.change", "deal.change", "chat.moderate"}
    | {"order.refund", "order.ship", "show.log"}
)
_OPERATE = frozenset(
    {"ops.read", "audit.read", "order.read_any", "show.end_any", "link.verify", "account.freeze"}
    | {"chat.moderate", "order.refund", "order.ship", "show.log"}
)

ACTIONS: dict[str, frozenset[str]] = {
    "viewer": _ANY_ACCOUNT,
    "guardian": _ANY_ACCOUNT,
    "host": _ANY_ACCOUNT | _RUN_SHOWS,
    "advertiser": _ANY_ACCOUNT | {"campaign.change"},
    "operator": _ANY_ACCOUNT | _OPERATE,
}


def may(actor: Actor, action: str) -> bool:
    """Whether one of the actor's roles includes `action`."""
    return any(action in ACTIONS.get(role, ()) for role in actor.roles)


def require(actor: Actor | None, action: str) -> Actor:
    """`actor`, who may do `action`; a Refusal otherwise."""
    if actor is None:
        raise Refusal("unauthenticated", "Sign in first.")
    if not may(actor, action):
        raise Refusal("forbidden", f"This account may not do that ({action}).")
    return actor
