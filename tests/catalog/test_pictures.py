"""Pictures of feeds: fetched after the import, drawn again, and never from inside our own network unless allowed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.catalog import pictures
from livesale.catalog.model import FeedProduct, own_picture
from livesale.catalog.pictures import NoPicture, Pictures, fetch, keep
from livesale.catalog.resolving import OutsideResolver
from livesale.catalog.store import list_products, upsert_products
from livesale.kernel.money import Money
from livesale.store.database import reading


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), "orange").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """Another host's server: a picture, one that is gone, a page that is none, too much, and roundabouts."""
    pages = {
        "/pan.png": web.Response(body=png(2400, 1200)),
        "/page": web.Response(text="<html>no picture</html>"),
        "/moved": web.Response(status=302, headers={"Location": "/pan.png"}),
        "/round": web.Response(status=302, headers={"Location": "/round"}),
        "/file": web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
        "/huge": web.Response(body=bytes(pictures.MOST_BYTES + 1)),
    }

    async def give(request: web.Request) -> web.Response:
        if (found := pages.get(request.path)) is None:
            raise web.HTTPNotFound
        body = found.body if isinstance(found.body, bytes) else None
        return web.Response(status=found.status, body=body, headers=found.headers)

    app = web.Application()
    app.router.add_get("/{name:.*}", give)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def imported(engine: AsyncEngine, now_ms: int, **images: str) -> None:
    rows = [FeedProduct(sku, sku, Money(100, "EUR"), image=image) for sku, image in images.items()]
    async with engine.begin() as connection:
        await upsert_products(connection, "shop", rows, now_ms)


async def test_what_a_feed_names_is_served_by_us(
    engine: AsyncEngine, elsewhere: str, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """After a look the picture lies where the product says; one that is gone or no picture keeps nothing else back."""
    await imported(engine, 1, a=f"{elsewhere}/gone.png", b=f"{elsewhere}/pan.png", c=f"{elsewhere}/page", d="/pictures/x.webp")
    looking = Pictures(engine, tmp_path / "pictures", private=True)
    await looking.look(session)
    async with reading(engine) as connection:
        named = {one.sku: one.image for one in await list_products(connection, "shop")}
    assert named["d"] == "/pictures/x.webp"
    there = {sku: (tmp_path / image.removeprefix("/")).exists() for sku, image in named.items() if sku != "d"}
    assert there == {"a": False, "b": True, "c": False}
    with Image.open(tmp_path / named["b"].removeprefix("/")) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (1200, 600))


async def test_a_later_import_is_seen(
    engine: AsyncEngine, elsewhere: str, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A picture that a second import names is fetched by the next look."""
    await imported(engine, 1, a="")
    looking = Pictures(engine, tmp_path, private=True)
    await looking.look(session)
    await imported(engine, 2, a=f"{elsewhere}/moved")
    await looking.look(session)
    assert (tmp_path / "shop" / Path(own_picture("shop", f"{elsewhere}/moved")).name).exists()


@pytest.mark.parametrize("path", ["/round", "/file", "/huge", "/gone.png"])
async def test_what_is_no_picture_is_refused(elsewhere: str, session: aiohttp.ClientSession, path: str) -> None:
    """Roundabouts, other schemes behind a redirect, too many bytes and missing files end, with a reason."""
    with pytest.raises(NoPicture):
        await fetch(session, elsewhere + path, private=True)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/pan.png", "http://[::1]:{port}/", "http://169.254.169.254/", "http://10.0.0.1/"]
)
async def test_a_feed_does_not_reach_into_our_network(
    elsewhere: str, session: aiohttp.ClientSession, address: str
) -> None:
    """A number inside our own network is refused before a connection is made."""
    with pytest.raises(NoPicture, match="our own network"):
        await fetch(session, address.format(port=elsewhere.rsplit(":", 1)[1]), private=False)


@pytest.mark.parametrize("number", ["10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"])
async def test_what_a_name_server_answers_is_judged(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """A stranger's name server may answer with an address of ours, carried by one of NAT64 or 6to4."""

    async def resolve(*_: object) -> list[dict[str, str]]:
        return [{"host": number}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    with pytest.raises(OSError, match="our own network"):
        await OutsideResolver(private=False).resolve("pictures.example", 443)


async def test_a_name_does_not_either(elsewhere: str) -> None:
    """A name that resolves to an address of ours is refused too, whatever it is called."""
    connector = aiohttp.TCPConnector(resolver=OutsideResolver(private=False))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match="our own network"):
            await fetch(session, elsewhere.replace("127.0.0.1", "localhost") + "/pan.png", private=False)


def test_a_bomb_is_not_drawn(tmp_path: Path) -> None:
    """A small file of very many pixels is refused before they are decoded, and nothing is left behind."""
    with pytest.raises(NoPicture, match="too many"):
        keep(png(9_000, 9_000, "1"), tmp_path / "x.webp")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "L", "I;16", "CMYK"])
def test_every_kind_of_picture_is_drawn(tmp_path: Path, mode: str) -> None:
    """Palettes, greys, transparency and print colours all become WebP."""
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    keep(out.getvalue(), tmp_path / "x.webp")
    assert (tmp_path / "x.webp").stat().st_size > 0
