"""Pictures: copies of the pictures that feeds name, made after the import, so that no page asks a host but ours.

Law: a feed is a stranger's: only http and https, no address inside our own network unless it is allowed, bounded in
bytes, pixels and time, and what is served is what we have drawn again ourselves. What fails keeps no row back.
"""

from __future__ import annotations

import asyncio
import io
import os
import time
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import structlog
from PIL import Image, ImageOps
from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.catalog import store
from livesale.catalog.model import own_picture
from livesale.catalog.resolving import OutsideResolver
from livesale.kernel.outside import Inside, check_outside
from livesale.store.database import reading
from livesale.store.readers import going_on

LOOK_EVERY_S = 3.0
AT_ONCE = 4
TIMEOUT_S = 20.0
MOST_BYTES = 12 << 20
MOST_PIXELS = 50_000_000
MOST_REDIRECTS = 3
LONGEST_SIDE_PX = 1200
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
RETRY_S = (60.0, 600.0, 3600.0)

log = structlog.get_logger(__name__)


class NoPicture(Exception):
    """Nothing usable at that address; the message says why."""


class Pictures:
    """Fetches what is missing of the pictures that products name into `folder/SHOP/`.

    `private`: also from loopback and private addresses, which a feed of a stranger must not reach.
    """

    def __init__(self, database: AsyncEngine, folder: Path, *, private: bool) -> None:
        self._database = database
        self._folder = folder
        self._private = private
        self._seen_ms: dict[str, int] = {}
        self._wanted: dict[Path, str] = {}
        self._tries: dict[Path, int] = {}
        self._not_before_s: dict[Path, float] = {}

    async def run(self) -> None:
        """Look for new pictures until cancelled."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(resolver=OutsideResolver(private=self._private))
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while True:
                with going_on("fetching pictures"):
                    await self.look(session)
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Fetch once whatever is named, missing and due."""
        async with reading(self._database) as connection:
            for shop, changed_ms in (await store.pictures_changed(connection)).items():
                if self._seen_ms.get(shop) != changed_ms:
                    self._want(shop, await store.pictures_of(connection, shop))
                    self._seen_ms[shop] = changed_ms
        now_s = time.monotonic()
        due = [path for path in self._wanted if self._not_before_s.get(path, 0.0) <= now_s]
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(path: Path) -> None:
            async with at_once:
                await self._try(session, path)

        await asyncio.gather(*(one(path) for path in due))

    def _want(self, shop: str, addresses: list[str]) -> None:
        for address in addresses:
            path = self._folder / shop / Path(own_picture(shop, address)).name
            if not path.exists():
                self._wanted[path] = address

    async def _try(self, session: aiohttp.ClientSession, path: Path) -> None:
        address = self._wanted[path]
        try:
            data = await fetch(session, address, private=self._private)
            await asyncio.to_thread(keep, data, path)
        except (NoPicture, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            tries = self._tries.get(path, 0)
            self._tries[path] = tries + 1
            self._not_before_s[path] = time.monotonic() + RETRY_S[min(tries, len(RETRY_S) - 1)]
            if not tries:
                log.info("a picture was not fetched", address=address, why=str(error) or type(error).__name__)
            return
        for known in (self._wanted, self._tries, self._not_before_s):
            known.pop(path, None)


async def fetch(session: aiohttp.ClientSession, address: str, *, private: bool) -> bytes:
    """The bytes at `address`, redirects followed; NoPicture when they are refused, too many or not there."""
    for _ in range(MOST_REDIRECTS + 1):
        _check(address, private)
        async with session.get(address, allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                address = urljoin(address, answer.headers["Location"])
                continue
            if answer.status != 200:
                raise NoPicture(f"answered {answer.status}")
            data = b""
            async for part in answer.content.iter_chunked(1 << 16):
                data += part
                if len(data) > MOST_BYTES:
                    raise NoPicture(f"more than {MOST_BYTES >> 20} MiB")
            return data
    raise NoPicture("too many redirects")


def keep(data: bytes, path: Path) -> None:
    """Draw the picture again as WebP of at most 1200 px into `path`, whole or not at all."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as found:
            if found.width * found.height > MOST_PIXELS:
                raise NoPicture(f"{found.width} x {found.height} pixels are too many")
            found.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            drawn = ImageOps.exif_transpose(found)
            drawn = drawn.convert("RGBA" if "A" in drawn.getbands() or "transparency" in drawn.info else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NoPicture("not a picture we can read") from error
    drawn.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        drawn.save(partial, "WEBP", quality=QUALITY)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _check(address: str, private: bool) -> None:
    """Refuse what is no http address, and one of our own network unless that is allowed."""
    try:
        check_outside(address, private=private)
    except Inside as error:
        raise NoPicture(str(error)) from None
