"""Permissions: the one table of what can be done, by which roles, at which routes. Whose it is, the services check.

Deciding for a ward is open to every role: the link to the ward gives the right to it, not a role. A token its owner
made has scopes: actions of this table, so it may do less than its account and never more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from livesale.kernel.actor import ROLES, Actor
from livesale.kernel.refusals import Refusal, invalid

EVERYONE = frozenset(ROLES)
SELLERS = frozenset({"host", "operator"})
OPERATORS = frozenset({"operator"})


class Permission(NamedTuple):
    """An action: who may do it, and the routes (`METHOD /path`) that do it."""

    roles: frozenset[str]
    routes: tuple[str, ...]


TABLE: dict[str, Permission] = {
    "account.read": Permission(EVERYONE, ("GET /me",)),
    "consent.read": Permission(EVERYONE, ("GET /me/consents", "GET /wards/{minor}/data-consents")),
    "consent.say": Permission(EVERYONE, ("PUT /me/consents", "PUT /wards/{minor}/data-consents")),
    "account.erase": Permission(EVERYONE, ("GET /me/export", "DELETE /me")),
    "account.age": Permission(EVERYONE, ("POST /me/age", "POST /me/age-proof/options", "POST /me/age-proof")),
    "account.secure": Permission(
        EVERYONE,
        (
            *("GET /sessions", "DELETE /sessions", "DELETE /sessions/{id}", "GET /tokens", "POST /tokens"),
            *("POST /session/step-up", "POST /session/step-up/code"),
            *("POST /session/step-up/options", "POST /session/step-up/passkey"),
            *("GET /passkeys", "POST /passkeys/options", "POST /passkeys"),
            *("PATCH /passkeys/{id}", "DELETE /passkeys/{id}"),
        ),
    ),
    "account.push": Permission(EVERYONE, ("GET /me/pushes", "PUT /me/pushes", "DELETE /me/pushes/{id}")),
    "order.read": Permission(EVERYONE, ("GET /orders", "GET /orders/{order}", "GET /offers/{offer}/waitlist")),
    "order.create": Permission(
        EVERYONE,
        (
            *("POST /shows/{show}/orders", "POST /shops/{shop}/orders", "POST /orders/{order}/checkout"),
            *("POST /orders/{order}/coupon", "DELETE /orders/{order}/coupon", "POST /orders/{order}/cancel"),
            *("POST /offers/{offer}/waitlist", "DELETE /offers/{offer}/waitlist"),
        ),
    ),
    "order.withdraw": Permission(
        EVERYONE, ("POST /orders/{order}/withdrawal", "POST /orders/{order}/withdrawal/confirm")
    ),
    "chat.write": Permission(EVERYONE, ("POST /shows/{show}/chat", "POST /shows/{show}/reactions")),
    "approval.read": Permission(
        EVERYONE,
        ("GET /approvals", "GET /approvals/{approval}", "GET /approvals/news", "GET /approvals/{approval}/payment"),
    ),
    "approval.decide": Permission(
        EVERYONE,
        (
            *("POST /approvals/{approval}/approve", "POST /approvals/{approval}/decline"),
            *("POST /approvals/{approval}/revoke", "POST /approvals/{approval}/extend"),
            "POST /approvals/{approval}/ratify",
        ),
    ),
    "link.read": Permission(EVERYONE, ("GET /guardians/links", "GET /guardians/invitations/{invitation}")),
    "allowance.read": Permission(EVERYONE, ("GET /wards/{minor}/allowance", "GET /wards/{minor}/consents")),
    "link.change": Permission(
        EVERYONE,
        (
            *("POST /guardians/invitations", "GET /guardians/invitations/{invitation}/code"),
            *("POST /guardians/invitations/{invitation}/accept", "PUT /wards/{minor}/authority"),
            *("DELETE /guardians/links/{link}", "POST /guardians/links/{link}/keep", "PUT /wards/{minor}/freeze"),
            "PUT /wards/{minor}/allowance",
        ),
    ),
    "show.read": Permission(SELLERS, ("GET /shows/{show}/log",)),
    "show.run": Permission(
        SELLERS,
        (
            *("POST /shows", "PATCH /shows/{show}", "POST /shows/{show}/start", "POST /shows/{show}/end"),
            *("POST /shows/{show}/pause", "POST /shows/{show}/resume", "PUT /shows/{show}/pins"),
            "POST /shows/{show}/cancel",
            *("PUT /shows/{show}/rundown", "POST /shows/{show}/rundown/next", "POST /shows/{show}/captions"),
        ),
    ),
    "chat.moderate": Permission(SELLERS, ("DELETE /shows/{show}/chat/{message}", "POST /shows/{show}/mutes")),
    "offer.change": Permission(
        SELLERS,
        (
            *("POST /shows/{show}/offers", "PATCH /shows/{show}/offers/{offer}", "POST /shows/{show}/deals"),
            *("POST /shops/{shop}/coupons", "DELETE /shops/{shop}/coupons/{code}", "PUT /shops/{shop}/shipping"),
        ),
    ),
    "stock.change": Permission(SELLERS, ("POST /shops/{shop}/feed", "POST /shops/{shop}/stock")),
    "shop.read": Permission(SELLERS, ("GET /shops/{shop}/orders", "GET /shops/{shop}/coupons")),
    "order.ship": Permission(SELLERS, ("POST /orders/{order}/shipments",)),
    "order.refund": Permission(SELLERS, ("POST /orders/{order}/refunds",)),
    "age.check": Permission(
        OPERATORS, ("POST /ops/ages", "PUT /ops/ages/{account}", "DELETE /ops/ages/{account}")
    ),
    "order.mark": Permission(OPERATORS, ("POST /orders/{order}/minor-buyer",)),
    "ops.read": Permission(
        OPERATORS, ("GET /ops/overview", "GET /ops/shows/{show}", "GET /ops/audit", "GET /ops/approvals")
    ),
}

# What opens the door to all the rest is done by the person, never by a program's token.
NEVER_IN_SCOPE = frozenset(
    {"account.secure", "account.age", "account.erase", "consent.say", "link.change", "age.check", "order.mark"}
)
READING = frozenset(action for action in TABLE if action.endswith(".read"))

_ACTION_OF = {route: action for action, row in TABLE.items() for route in row.routes}


def action_of(method: str, path: str) -> str | None:
    """What a route does; None where anyone may come."""
    return _ACTION_OF.get(f"{method} {path}")


def may(actor: Actor, action: str | None) -> bool:
    """Whether one of the actor's roles includes `action`, and its token's scopes do."""
    if action is None or (actor.scopes is not None and action not in actor.scopes):
        return False
    return action in TABLE and not actor.roles.isdisjoint(TABLE[action].roles)


def checked_scopes(roles: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The scopes a token of an account with `roles` may have, sorted; refused when it may not do one of them."""
    owner = Actor("", frozenset(roles))
    scopes = frozenset(wanted) or frozenset(action for action in READING if may(owner, action))
    for action in sorted(scopes):
        if action in NEVER_IN_SCOPE or not may(owner, action):
            raise invalid("scopes", f"{action[:60]} is nothing a token of this account may do")
    return tuple(sorted(scopes))


def check_scope(actor: Actor, method: str, path: str) -> None:
    """Refused where the caller's token is not made for this."""
    action = action_of(method, path)
    if actor.scopes is not None and not may(actor, action):
        raise Refusal("forbidden", f"This token is not made for that ({action or 'no scope has it'}).")
