"""The one running system of the crash tests, with a shop, a show on air and its demo host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.crashes.system import COMES_UP_WITHIN_S, SHOP, UNITS, System, call, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has a system of its own comes first: beside it the one that is shared would only take time."""
    places = [place for place, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[place] for place in places), key=lambda item: "tmp_path" not in getattr(item, "fixturenames", ()))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`livesale up --demo`, buyers with tokens, and products in stock."""
    made = System(tmp_path_factory.mktemp("crash") / "data")
    try:
        made.start()
        asyncio.run(made.add_people())
        made.import_feed()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def shows(system: System) -> dict[str, list[str] | str]:
    """`mine` and its `offers` (plenty of stock), and the `demo` host's show once it is on air."""
    return asyncio.run(_shows(system))


async def _shows(system: System) -> dict[str, list[str] | str]:
    async with aiohttp.ClientSession() as session:
        host = system.tokens["host"]

        async def ask(method: str, path: str, body: object = None) -> dict:
            status, answer = await call(session, method, system.api + path, host, body)
            assert status in (200, 201), (path, status, answer)
            return answer

        mine = (await ask("POST", "/shows", {"title": "Crash", "shop": SHOP, "currency": "EUR"}))["id"]
        offers = []
        for product in (await ask("GET", f"/products?shop={SHOP}"))["items"]:
            body = {"product": product["id"], "price": product["price"], "quantity": UNITS}
            offers.append((await ask("POST", f"/shows/{mine}/offers", body))["id"])
        await ask("POST", f"/shows/{mine}/start")
        demo: list[str] = []

        async def on_air() -> bool:
            found = (await ask("GET", "/shows?state=live&shop=demo"))["items"]
            demo[:] = [show["id"] for show in found if show.get("hub")]
            return bool(demo)

        await until(on_air, COMES_UP_WITHIN_S, "the demo's show is on air")
        return {"mine": mine, "offers": offers, "demo": demo[0]}
