"""Pages: the built front end, and product pictures. Files only from the two folders given, whatever a path says.

The build is read and packed once, when the server starts: a viewer's first picture waits for no disk, and no path leads
into it that was not there then. A new build is seen by the next start.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
ROOT_FILES = ("/push.js", "/favicon.ico", "/favicon.svg", "/robots.txt", "/manifest.webmanifest")

PICTURE_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\Z")

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}  # the build puts a hash in every asset's name
_REVALIDATED = {"Cache-Control": "no-cache"}
_PICTURE = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'; sandbox",  # a picture opened by itself is only a picture
}

# Our own list: what the machine's own says of a font differs from Debian to Debian.
_BUILD_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

_NOT_BUILT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>livesale</title></head><body><main>'
    "<h1>The pages are not built yet</h1><p>The server runs and its API answers, but the front end is missing. "
    "Build it with <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code> and start the server again, "
    'or start with <code>scripts/demo</code>.</p><p><a href="/api/docs">The API\'s documentation</a></p></main></body></html>'
)


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the build, as it is and as it travels."""

    kind: str
    plain: bytes
    packed: bytes | None

    @classmethod
    def read(cls, path: Path) -> _File:
        """The file at `path`; packed where that makes it smaller (a font is packed already)."""
        plain = path.read_bytes()
        packed = gzip.compress(plain, mtime=0)
        kind = _BUILD_TYPES.get(path.suffix, "application/octet-stream")
        return cls(kind, plain, packed if len(packed) < 0.9 * len(plain) else None)

    def answer(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        """The file, packed for those who can unpack it."""
        given = {**PAGE_HEADERS, **headers, "Content-Type": self.kind}
        if self.packed is None:
            return web.Response(body=self.plain, headers=given)
        given["Vary"] = "Accept-Encoding"
        if not _GZIP.search(request.headers.get("Accept-Encoding", "")):
            return web.Response(body=self.plain, headers=given)
        return web.Response(body=self.packed, headers={**given, "Content-Encoding": "gzip"})


class Pages:
    """Serves a build (`web_dist`) and a folder of pictures (`pictures/SHOP/FILE`); either may be missing."""

    def __init__(self, web_dist: Path | None, pictures: Path | None) -> None:
        self._built = _read_all(web_dist.resolve()) if web_dist else {}
        self._pictures = pictures.resolve() if pictures else None

    def routes(self) -> list[web.RouteDef]:
        """Every page's address, the assets', the pictures'."""
        pages = [web.get(path, self._page(name)) for path, name in PAGES.items()]
        files = [web.get(path, self._root_file) for path in ROOT_FILES]
        assets = [web.get("/assets/{file:.+}", self._asset), web.get("/pictures/{shop}/{file}", self._picture)]
        return [*pages, *files, *assets]

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def show(request: web.Request) -> web.StreamResponse:
            entry = self._built.get(f"{name}/index.html")
            if entry is None:
                return web.Response(text=_NOT_BUILT, status=503, content_type="text/html", headers=_REVALIDATED)
            return entry.answer(request, _REVALIDATED)

        return show

    async def _root_file(self, request: web.Request) -> web.StreamResponse:
        return self._file(request, request.path[1:], _REVALIDATED)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return self._file(request, f"assets/{request.match_info['file']}", _IMMUTABLE)

    def _file(self, request: web.Request, name: str, headers: dict[str, str]) -> web.Response:
        found = self._built.get(name)
        if found is None:
            raise not_found("file")
        return found.answer(request, headers)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        shop, name = request.match_info["shop"], request.match_info["file"]
        kind = PICTURE_TYPES.get(Path(name).suffix.lower())
        found = _within(self._pictures, shop, name) if kind else None
        if found is None or kind is None:
            raise not_found("file")
        return web.FileResponse(found, headers={**PAGE_HEADERS, **_PICTURE, "Content-Type": kind})


def _read_all(root: Path) -> dict[str, _File]:
    """Every file of the build by its path from `root`; a link out of it is not part of it."""
    inside = [path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root)]
    return {path.relative_to(root).as_posix(): _File.read(path) for path in inside}


def _within(root: Path | None, *names: str) -> Path | None:
    """The file `root/names…`; None unless it is a plain file that really lies within `root`."""
    if root is None or not all(_NAME.match(name) for name in names):
        return None
    path = root.joinpath(*names).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None
