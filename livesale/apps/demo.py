"""The demo: its shop and accounts, and a host who uses only what any host can: public HTTP and WHIP."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from PIL import Image

from livesale.apps.feeds import import_feed
from livesale.apps.wiring import Wiring
from livesale.catalog.demo.pictures import feed_bytes, render_all
from livesale.catalog.demo.programme import programme_frame
from livesale.catalog.demo.sound import BLOCK_SAMPLES, SOUND_HZ, TURN_S, programme_sound
from livesale.catalog.model import FeedProduct
from livesale.guardians.family import Tie
from livesale.guardians.store import new_link_id
from livesale.kernel.ids import random_name
from livesale.kernel.money import Money
from livesale.kernel.refusals import Refusal
from livesale.media.programme import Programme
from livesale.settings import Settings

log = structlog.get_logger(__name__)

SHOP = "demo"
TITLE = "Küche & Zuhause – live"
SHOWN_S = TURN_S  # each product's time on air
UNITS = 40  # of each product brought to the show
MOST_SHOWN = 12
RETRY_S = 0.5
LOOK_EVERY_S = 0.5
CONNECTS_WITHIN_S = 15.0
STALE_MS = 2_500  # the studio tells once a second
SILENT_S = 2.0
STOPS_WITHIN_S = 0.5
PEOPLE = (
    ("host", "Hanna Host", "host", date(1988, 3, 9)),
    ("adult", "Alex Adult", "viewer", date(1991, 7, 21)),
    ("minor", "Mika Minor", "viewer", date(2011, 5, 4)),
    ("guardian", "Gita Guardian", "guardian", date(1982, 11, 30)),
    ("operator", "Otto Operator", "operator", date(1985, 1, 17)),
)


async def seed(settings: Settings) -> list[str]:
    """Make what is missing of the demo's accounts, family and shop; gives the lines to print."""
    password = demo_password(settings.data)
    async with Wiring(settings) as wiring:
        ids = {who: await _account(wiring, who, name, role, born, password) for who, name, role, born in PEOPLE}
        tie = Tie(new_link_id(), ids["guardian"], wiring.store.now_ms(), verified=True)
        await wiring.guardians.families.join(ids["minor"], tie, "system")
        await import_feed(wiring, SHOP, feed_bytes(), ids["host"])
    await asyncio.to_thread(render_all, settings.data / "pictures" / SHOP)
    lines = [f"{who:<9} {who}@demo.example  password {password}" for who, *_ in PEOPLE]
    return [f"demo shop: {settings.base_url}/", *lines]


def demo_password(data: Path) -> str:
    """The demo accounts' password on this DATA, drawn once."""
    path = data / "keys" / "demo.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"demo-{random_name(6)}")
    return path.read_text()


async def _account(wiring: Wiring, who: str, name: str, role: str, born: date, password: str) -> str:
    email = f"{who}@demo.example"
    try:
        made = await wiring.accounts.create_account(
            email=email, name=name, country="DE", born=born, roles=(role,), method="verified", issuer="demo",
            password=password,
        )  # fmt: skip
        return made.id
    except Refusal:
        return (await wiring.accounts.by_email(email)).id


class ShownInTurn:
    """The programme's pictures: each product for its time by the clock on the wall, so that pins agree."""

    def __init__(self, cards: list[FeedProduct]) -> None:
        self.cards = cards

    def __call__(self, _elapsed_s: float) -> Image.Image:
        turn, into_s = divmod(time.time(), SHOWN_S)
        return programme_frame(self.cards[int(turn) % len(self.cards)], into_s)


class PlayedInTurn:
    """The programme's sound, by the clock on the wall like its pictures; unbroken from the first block on."""

    def __init__(self) -> None:
        self._began: int | None = None

    def __call__(self, position: int) -> bytes:
        if self._began is None:
            self._began = int(time.time() * SOUND_HZ) // BLOCK_SAMPLES * BLOCK_SAMPLES - position
        return programme_sound(self._began + position)


class DemoHost:
    """The host at work, through a session like anyone's."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._csrf = ""
        self._rundown, self._rundown_from = "", 0  # this rundown, and the turn its first part belongs to

    async def run(self) -> None:
        """On air until cancelled; begins again after anything that fails."""
        while True:
            try:
                if not self._csrf:
                    await self._sign_in()
                await self._host(await self._show())
            except (aiohttp.ClientError, TimeoutError, _Refused) as error:
                log.warning("the demo host tries again", why=str(error))
                self._csrf = ""
            await asyncio.sleep(RETRY_S)

    async def _sign_in(self) -> None:
        body = {"email": "host@demo.example", "password": demo_password(self._settings.data)}
        await self._call("POST", "/session", body)
        jar = self._session.cookie_jar.filter_cookies(self._settings.base_url)  # type: ignore[arg-type]
        self._csrf = jar["livesale_csrf"].value

    async def _show(self) -> dict[str, Any]:
        """The show that is on, or a new one with its offers."""
        live = await self._call("GET", f"/shows?state=live&shop={SHOP}&limit=200")
        mine = [show for show in live["items"] if show["shop"] == SHOP and show["title"] == TITLE]
        for show in mine:
            if len(show["offers"]) >= MOST_SHOWN:
                found: dict[str, Any] = await self._call("GET", f"/shows/{show['id']}")
                return found
            await self._call("POST", f"/shows/{show['id']}/end")
        show = await self._call("POST", "/shows", {"title": TITLE, "shop": SHOP, "currency": "EUR"})
        for product in await self._products():
            offer = {"product": product["id"], "price": product["price"], "quantity": UNITS}
            await self._call("POST", f"/shows/{show['id']}/offers", offer)
        started: dict[str, Any] = await self._call("POST", f"/shows/{show['id']}/start")
        return started

    async def _products(self) -> list[dict[str, Any]]:
        listed = (await self._call("GET", f"/products?shop={SHOP}&limit=100"))["items"]
        enough = [product for product in listed if product["quantity"] is None or product["quantity"] >= UNITS]
        return enough[:MOST_SHOWN]

    async def _host(self, show: dict[str, Any]) -> None:
        """Send the programme and pin what it shows; over when the sending ends or nobody takes it in any more.

        FFmpeg's sender does not notice that the studio behind it was killed, so the show's own figures say. While
        web or store are away nobody knows: the picture goes on.
        """
        cards = [
            FeedProduct(Path(offer["image"]).stem, offer["title"], Money(**offer["price"])) for offer in show["offers"]
        ]
        url = show["whip"]["url"] + "?takeover=1"
        programme = Programme(url, show["whip"]["token"], ShownInTurn(cards), PlayedInTurn())
        shown, heard_s, began_ms = -1, time.monotonic() + CONNECTS_WITHIN_S, time.time() * 1000
        on_air_ms = began_ms
        try:
            while programme.running and time.monotonic() - heard_s < SILENT_S:
                try:
                    shown = await self._pin(show, shown)
                    live = (await self._call("GET", f"/shows/{show['id']}"))["live"]
                    # What was told before we began is of the sender before this one.
                    if live.get("host") == "live" and live["updated"] > max(began_ms, time.time() * 1000 - STALE_MS):
                        heard_s, on_air_ms = time.monotonic(), live["updated"]
                    elif live.get("host") == "waiting" and on_air_ms > began_ms and live["updated"] > on_air_ms:
                        return  # another studio has the show now, and knows nothing of us
                except (aiohttp.ClientError, TimeoutError, _Refused) as error:
                    log.info("the demo host goes on without an answer", why=str(error))
                    heard_s = max(heard_s, time.monotonic())
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await asyncio.to_thread(programme.stop, STOPS_WITHIN_S)

    async def _pin(self, show: dict[str, Any], shown: int) -> int:
        """Go on in the rundown to what the programme shows in this turn, unless `shown` says that it is; the turn.

        The rundown begins with the turn in which it is made, and is made anew when it is through or has been left.
        """
        turn = int(time.time() // SHOWN_S)
        if turn == shown:
            return shown
        offers = show["offers"]
        if turn != shown + 1 or turn >= self._rundown_from + len(offers):
            coming = [offers[(turn + place) % len(offers)] for place in range(len(offers))]
            segments = [{"title": one["title"], "offers": [one["id"]], "planned_s": SHOWN_S} for one in coming]
            for planned in ([], segments):  # the same plan again would be one that is through
                await self._call("PUT", f"/shows/{show['id']}/rundown", {"segments": planned})
            self._rundown, self._rundown_from = secrets.token_hex(8), turn
        key = f"{self._rundown}-{turn}"  # asked again after a lost answer, it has gone on once
        await self._call("POST", f"/shows/{show['id']}/rundown/next", key=key)
        return turn

    async def _call(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = {"X-CSRF-Token": self._csrf} if self._csrf else {}
        if method == "POST":
            headers["Idempotency-Key"] = key or secrets.token_hex(12)
        url = f"{self._settings.base_url}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            told = await answer.json(content_type=None)
            if answer.status >= 400:
                raise _Refused(f"{method} {path}: {told.get('code')} {told.get('detail')}")
            return told


class _Refused(Exception):
    """The server said no."""


async def run(settings: Settings) -> None:
    """The process `demo`: on air until cancelled."""
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=timeout) as session:
        await DemoHost(settings, session).run()
