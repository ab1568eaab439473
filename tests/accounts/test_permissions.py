"""Permissions: every role has its row, and nobody may do what no row gives."""

import pytest

from livesale.accounts.permissions import ACTIONS, may, require
from livesale.kernel.actor import ROLES, Actor
from livesale.kernel.refusals import Refusal


def actor(*roles: str) -> Actor:
    return Actor("4k2c9x7m1q", frozenset(roles))


def test_every_role_has_a_row():
    """The table and the roles are the same set."""
    assert set(ACTIONS) == set(ROLES)


def test_roles_add_up():
    """Several roles give what any of them gives, an unknown one gives nothing."""
    assert may(actor("viewer", "host"), "show.run")
    assert may(actor("viewer"), "order.create")
    assert not may(actor("viewer"), "show.run")
    assert not may(actor("king"), "order.create")
    assert not may(actor("host"), "ops.read")
    assert not may(actor("operator"), "show.run")


def test_refusals_differ():
    """Nobody is asked to sign in, somebody without the right is told so."""
    with pytest.raises(Refusal) as nobody:
        require(None, "order.create")
    with pytest.raises(Refusal) as viewer:
        require(actor("viewer"), "ops.read")
    assert (nobody.value.code, viewer.value.code) == ("unauthenticated", "forbidden")
    assert require(actor("operator"), "ops.read").account == "4k2c9x7m1q"
