"""Pages: the built front end, and product pictures. Files only from the two folders given, whatever a path says."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from livesale.http.replies import PAGE_HEADERS
from livesale.kernel.refusals import not_found

# What people type, and the page of the build that shows it; each page reads the rest of the address itself.
PAGES = {
    "/": "home",
    "/watch/{show}": "watch",
    "/studio": "studio",
    "/studio/{show}": "studio",
    "/orders": "orders",
    "/orders/{order}": "orders",
    "/guardian": "guardian",
    "/guardian/{approval}": "guardian",
    "/ops": "ops",
    "/ops/{show}": "ops",
    "/login": "login",
}
ROOT_FILES = ("/favicon.ico", "/favicon.svg", "/robots.txt", "/manifest.webmanifest")

PICTURE_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\Z")

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}  # the build puts a hash in every asset's name
_REVALIDATED = {"Cache-Control": "no-cache"}
_PICTURE = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'; sandbox",  # a picture opened by itself is only a picture
}

_NOT_BUILT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>livesale</title></head><body><main>'
    "<h1>The pages are not built yet</h1><p>The server runs and its API answers, but the front end is missing. "
    "Build it once with <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code>, or start with "
    '<code>scripts/demo</code>.</p><p><a href="/api/docs">The API\'s documentation</a></p></main></body></html>'
)


class Pages:
    """Serves a build (`web_dist`) and a folder of pictures (`pictures/SHOP/FILE`); either may be missing."""

    def __init__(self, web_dist: Path | None, pictures: Path | None) -> None:
        self._dist = web_dist.resolve() if web_dist else None
        self._pictures = pictures.resolve() if pictures else None

    def routes(self) -> list[web.RouteDef]:
        """Every page's address, the assets', the pictures'."""
        pages = [web.get(path, self._page(name)) for path, name in PAGES.items()]
        files = [web.get(path, self._root_file) for path in ROOT_FILES]
        assets = [web.get("/assets/{file:.+}", self._asset), web.get("/pictures/{shop}/{file}", self._picture)]
        return [*pages, *files, *assets]

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def show(_request: web.Request) -> web.StreamResponse:
            entry = self._within(self._dist, name, "index.html")
            if entry is None:
                return web.Response(text=_NOT_BUILT, status=503, content_type="text/html", headers=_REVALIDATED)
            return web.FileResponse(entry, headers=_REVALIDATED)

        return show

    async def _root_file(self, request: web.Request) -> web.StreamResponse:
        return self._file(self._within(self._dist, request.path[1:]), _REVALIDATED)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        names = request.match_info["file"].split("/")
        return self._file(self._within(self._dist, "assets", *names), _IMMUTABLE)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        shop, name = request.match_info["shop"], request.match_info["file"]
        kind = PICTURE_TYPES.get(Path(name).suffix.lower())
        found = self._within(self._pictures, shop, name) if kind else None
        return self._file(found, {**_PICTURE, "Content-Type": kind or ""})

    @staticmethod
    def _file(found: Path | None, headers: dict[str, str]) -> web.FileResponse:
        if found is None:
            raise not_found("file")
        return web.FileResponse(found, headers={**PAGE_HEADERS, **headers})

    @staticmethod
    def _within(root: Path | None, *names: str) -> Path | None:
        """The file `root/names…`; None unless it is a plain file that really lies within `root`."""
        if root is None or not all(_NAME.match(name) for name in names):
            return None
        path = root.joinpath(*names).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
