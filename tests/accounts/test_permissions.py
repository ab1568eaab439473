"""Permissions: nobody may do what no row gives, and a token never more than its account."""

import pytest

from livesale.accounts.permissions import NEVER_IN_SCOPE, READING, TABLE, check_scope, checked_scopes, may
from livesale.kernel.actor import ROLES, Actor
from livesale.kernel.refusals import Refusal


def actor(*roles: str, scopes: frozenset[str] | None = None) -> Actor:
    return Actor("4k2c9x7m1q", frozenset(roles), scopes=scopes)


def test_every_row_names_roles_there_are():
    """A row without a known role, or without a route, would give nothing to anybody."""
    for action, row in TABLE.items():
        assert row.roles and row.roles <= set(ROLES), action
        assert row.routes, action


def test_roles_add_up():
    """Several roles give what any of them gives, an unknown one gives nothing."""
    assert may(actor("viewer", "host"), "show.run")
    assert may(actor("viewer"), "order.create")
    assert not may(actor("viewer"), "show.run")
    assert not may(actor("king"), "order.create")
    assert not may(actor("host"), "ops.read")
    assert not may(actor("viewer"), "no.such.action")


def test_scopes_narrow_and_never_widen():
    """A scope counts only together with a role that has the action."""
    assert may(actor("viewer", scopes=frozenset({"order.read"})), "order.read")
    assert not may(actor("viewer", scopes=frozenset({"order.read"})), "order.create")
    assert not may(actor("viewer", scopes=frozenset({"show.run"})), "show.run")


def test_what_no_row_has_is_closed_to_scopes():
    """A route nobody wrote into the table is refused to a token with scopes, open to its account."""
    check_scope(actor("viewer"), "GET", "/brand-new")
    with pytest.raises(Refusal) as said:
        check_scope(actor("viewer", scopes=frozenset(TABLE)), "GET", "/brand-new")
    assert said.value.code == "forbidden"


READS = {"account.read", "allowance.read", "approval.read", "consent.read", "link.read", "order.read"}


def test_without_a_wish_a_token_may_read():
    """The default is every reading action of the account's roles, and nothing else."""
    assert set(checked_scopes(["viewer"], [])) == READS
    assert set(checked_scopes(["operator"], [])) == READING


@pytest.mark.parametrize("wanted", ["show.run", "ops.read", "no.such.action", *sorted(NEVER_IN_SCOPE)])
def test_scopes_a_viewer_cannot_give(wanted):
    """Neither another role's actions nor the account's own security can be given to a token."""
    with pytest.raises(Refusal) as said:
        checked_scopes(["viewer"], ["order.read", wanted])
    assert said.value.errors[0]["field"] == "scopes"
