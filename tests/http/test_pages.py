"""Pages, assets and pictures: the right file with the right headers, and never one from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from yarl import URL

from livesale.http.pages import PAGES
from tests.http.served import Client, Connect, Room, application
from tests.http.test_endpoint import problem

LONG = b"export const one = 1;\n" * 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build and pictures, with secrets beside them."""
    for name in {*PAGES.values()}:
        (tmp_path / "dist" / name).mkdir(parents=True)
        (tmp_path / "dist" / name / "index.html").write_text(f"<title>{name}</title>")
    (tmp_path / "dist" / "assets").mkdir()
    (tmp_path / "dist" / "assets" / "home-1a2b3c.js").write_text("export {}")
    (tmp_path / "dist" / "assets" / "long-4d5e6f.js").write_bytes(LONG)
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "dist" / "assets" / "link.js").symlink_to(tmp_path / "secret.js")
    (tmp_path / "pictures" / "demo").mkdir(parents=True)
    (tmp_path / "pictures" / "demo" / "mug.webp").write_bytes(b"RIFF")
    (tmp_path / "pictures" / "demo" / "evil.svg").write_text("<svg/>")
    (tmp_path / "secret.webp").write_text("secret")
    (tmp_path / "pictures" / "demo" / "link.webp").symlink_to(tmp_path / "secret.webp")
    return tmp_path


@pytest.fixture
async def client(folder: Path, aiohttp_client: Connect) -> Client:
    return await aiohttp_client(application(Room(), web_dist=folder / "dist", pictures=folder / "pictures"))


@pytest.mark.parametrize(("path", "page"), list(PAGES.items()))
async def test_every_page_has_its_entry(client: Client, path: str, page: str) -> None:
    """Each address shows its page, always asked for anew, under a policy that lets in nobody else."""
    response = await client.get(path.format(show="4k2c", order="o_1", approval="ap_1"))
    assert (response.status, await response.text()) == (200, f"<title>{page}</title>")
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"]
    assert "Python" not in response.headers["Server"]
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "http" not in response.headers["Content-Security-Policy"]


async def test_assets_are_kept_for_good(client: Client) -> None:
    """A hashed name never changes its content."""
    response = await client.get("/assets/home-1a2b3c.js")
    assert response.status == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert "javascript" in response.headers["Content-Type"]
    await problem(await client.get("/assets/nothing.js"), 404, "not_found")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, deflate, br", True), ("br;q=1, GZIP;q=0.5", True), ("gzip;q=0", False), ("br, gzip;q=0.0", False), ("", False)],
)
async def test_what_travels_is_packed_once(client: Client, folder: Path, accepted: str, packed: bool) -> None:
    """Who can unpack gets the script packed, who cannot gets it as it is; a file too small to gain is never packed."""
    address = "/assets/long-4d5e6f.js"
    response = await client.get(address, headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert response.headers["Vary"] == "Accept-Encoding"
    assert await response.read() == LONG  # the client has unpacked it
    sent = int(response.headers["Content-Length"])
    assert (sent < len(LONG) / 10) is packed
    small = await client.get("/assets/home-1a2b3c.js", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in small.headers


async def test_no_disk_between_a_viewer_and_the_page(client: Client, folder: Path) -> None:
    """Pages and assets are what they were at the start, whatever becomes of the folder meanwhile."""
    (folder / "dist" / "assets" / "home-1a2b3c.js").unlink()
    (folder / "dist" / "assets" / "new-7a8b9c.js").write_text("export {}")
    assert (await client.get("/assets/home-1a2b3c.js")).status == 200
    await problem(await client.get("/assets/new-7a8b9c.js"), 404, "not_found")


async def test_a_picture_is_only_a_picture(client: Client) -> None:
    """Pictures are served with their type and may run nothing; other kinds of files are not there."""
    response = await client.get("/pictures/demo/mug.webp")
    assert (response.status, response.headers["Content-Type"]) == (200, "image/webp")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    await problem(await client.get("/pictures/demo/evil.svg"), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/pictures/../secret.webp", "/pictures/%2e%2e/secret.webp", "/pictures/demo/..%2f..%2fsecret.webp",
     "/pictures/demo/link.webp", "/pictures/demo/%2e%2e%5csecret.webp", "/assets/..%2f..%2fsecret.webp",
     "/assets/../../secret.webp", "/assets//etc/passwd", "/pictures/demo/mug.webp%00.webp", "/pictures/demo/",
     "/assets/link.js", "/assets/.", "/pictures/./secret.webp", "/assets/" + "a" * 5000],
)  # fmt: skip
async def test_no_path_leads_elsewhere(client: Client, path: str) -> None:
    """Dots, slashes, links and other tricks end at 404 or 400."""
    response = await client.get(URL(path, encoded=True))
    assert response.status in (400, 404)
    assert "secret" not in await response.text()


async def test_without_a_build_the_page_says_so(aiohttp_client: Connect, tmp_path: Path) -> None:
    """A server without pages tells people how to build them."""
    client = await aiohttp_client(application(Room(), web_dist=tmp_path / "missing"))
    response = await client.get("/")
    assert response.status == 503
    assert "npm run build" in await response.text()
