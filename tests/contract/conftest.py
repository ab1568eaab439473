"""The running system for these tests: the same one as for the journeys, so it is a plugin of the session."""

from __future__ import annotations

import pytest

from tests.support import system


def pytest_configure(config: pytest.Config) -> None:
    """Offer the `system` fixture, once a session."""
    if not config.pluginmanager.has_plugin("livesale-system"):
        config.pluginmanager.register(system, "livesale-system")
