"""What the tests of notices share: a mail server, and a market whose mails go there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from livesale.notices import model, postman
from livesale.store.valkey import Store
from tests.ledger.conftest import running
from tests.notices.post import Post
from tests.notices.town import MailServer, Town, parsed, part, until

__all__ = ["MailServer", "Town", "parsed", "part", "running", "server", "until"]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    made = MailServer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def post(store: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Post:
    """A market with twenty pieces and its mails; pauses are as short as a test may wait."""
    monkeypatch.setattr(model, "TRY_AGAIN_MS", (50,))
    monkeypatch.setattr(postman, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(postman, "REST_S", (0.05, 0.1))
    made = Post(store, server)
    await made.market.open(20)
    return made
