"""The running system, one Chromium a test, and people who arrive with browsers of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.journeys.people import PATIENCE_MS, Person
from tests.support import system as support
from tests.support.media import CHROMIUM, CHROMIUM_ARGS
from tests.support.system import System

Arrive = Callable[..., Awaitable[Person]]

expect.set_options(timeout=PATIENCE_MS)  # what is late is not wrong: a slow machine runs these too


def pytest_configure(config: pytest.Config) -> None:
    """Offer the `system` fixture, once a session."""
    if not config.pluginmanager.has_plugin("livesale-system"):
        config.pluginmanager.register(support, "livesale-system")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here drives a real browser."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium with a fake camera and microphone."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield launched
        await launched.close()


@pytest.fixture
async def arrive(browser: Browser, system: System) -> AsyncIterator[Arrive]:
    """`await arrive(email=None, viewport=…, locale=…)`: someone comes; none of them may have had trouble at the end."""
    people: list[Person] = []

    async def comes(email: str | None = None, then: str = "/", **options: object) -> Person:
        person = await Person.arrive(browser, system, **options)  # type: ignore[arg-type]
        people.append(person)
        if email:
            await person.sign_in(email if "@" in email else f"{email}@demo.example", then)
        return person

    yield comes
    assert not [trouble for person in people for trouble in person.troubles]
