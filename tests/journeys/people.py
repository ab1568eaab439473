"""People at their browsers: a context each, what they do on the pages, and what their browser complained about."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.support.system import ROOT, SHIP_TO, System, until

WIDE = {"width": 1440, "height": 900}
TABLET = {"width": 768, "height": 1024}
PHONE = {"width": 360, "height": 740}
SHOTS = os.environ.get("LIVESALE_SHOTS")
PATIENCE_MS = 30_000
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

# What an accessibility checker calls serious or critical on the page as it stands: rule and where.
BARRIERS = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  return violations.filter(({impact}) => impact === 'serious' || impact === 'critical')
    .flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) => `${id} at ${target}: ${failureSummary}`));
}"""

# How much of the picture differs between two of its frames, and how much of it is not black: shares from 0 to 1.
MOVES = """async () => {
  const video = document.querySelector('[data-testid=player]');
  const grab = () => new Promise((done) => video.requestVideoFrameCallback(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [160, 90];
    const pen = canvas.getContext('2d');
    pen.drawImage(video, 0, 0, 160, 90);
    done(pen.getImageData(0, 0, 160, 90).data);
  }));
  const first = await grab();
  let lit = 0;
  for (let at = 0; at < first.length; at += 4) lit += first[at] + first[at + 1] + first[at + 2] > 60;
  for (let frames = 0; frames < 90; frames += 1) {
    const next = await grab();
    let moved = 0;
    for (let at = 0; at < first.length; at += 4) {
      moved += Math.abs(first[at] - next[at]) > 24 || Math.abs(first[at + 1] - next[at + 1]) > 24;
    }
    if (moved > 20) return {moved: moved / 14400, lit: lit / 14400};
  }
  return {moved: 0, lit: lit / 14400};
}"""

# Chromium without a window hides nothing: the page is told so.
VISIBILITY = """(state) => {
  Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
  Object.defineProperty(document, 'hidden', {value: state === 'hidden', configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@dataclass
class Person:
    """One browser context with one page; `troubles` is what should never happen on our pages."""

    system: System
    context: BrowserContext
    page: Page
    troubles: list[str] = field(default_factory=list)

    @classmethod
    async def arrive(
        cls, browser: Browser, system: System, viewport: dict[str, int] = WIDE, locale: str = "en-GB", **options: Any
    ) -> Person:
        """Someone with a browser of their own."""
        context = await browser.new_context(viewport=viewport, locale=locale, base_url=system.url, **options)
        context.set_default_timeout(PATIENCE_MS)
        person = cls(system, context, await context.new_page())
        person.page.on("pageerror", lambda error: person.troubles.append(f"uncaught: {error}"))
        person.page.on("console", person._hear)
        person.page.on("request", person._see)
        return person

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _see(self, request: Request) -> None:
        host = request.url.split("/")[2] if "://" in request.url else ""
        if host and not host.startswith(("127.0.0.1:", "localhost:")):
            self.troubles.append(f"foreign request: {request.url}")

    async def sign_in(self, email: str, then: str = "/") -> None:
        """Through the page for signing in."""
        await self.page.goto(f"/login?next={then}")
        await (
            self.page.get_by_role("textbox", name="mail").or_(self.page.locator("input[name=email]")).first.fill(email)
        )
        await self.page.locator("input[name=password]").fill(self.system.password)
        await self.page.get_by_test_id("submit").click()
        await self.page.wait_for_url(lambda url: "/login" not in url)

    async def prove(self, email: str, password: str, button: str, field: str = "step-up-password") -> None:
        """Show again who it is: the password, and the code that is mailed for it; `button` (a test id) sends each."""

        def codes() -> list[dict[str, Any]]:
            items = self.system.anyone.did("GET", f"/dev/mail?to={email}")["items"]
            return [mail for mail in items if mail["subject"] in ("Your code", "Dein Code")]

        def new() -> list[dict[str, Any]]:
            found = codes()
            return found[: len(found) - before]

        before = len(codes())
        await self.page.get_by_test_id(field).fill(password)
        await self.page.get_by_test_id(button).click()
        mail = await asyncio.to_thread(until, new, "the code's mail")
        code = next(line for line in mail[0]["text"].splitlines() if line.isdigit())
        await self.page.get_by_test_id("step-up-code").fill(code)
        await self.page.get_by_test_id(button).click()

    async def moves(self) -> None:
        """The player shows moving pictures."""
        await self.holds("document.querySelector('[data-testid=player]')?.readyState >= 2")
        async with asyncio.timeout(PATIENCE_MS / 1000):
            seen = await self.page.evaluate(MOVES)
        assert seen["lit"] > 0.3, f"the picture is black: {seen}"
        assert seen["moved"] > 0, f"the picture stands still: {seen}"

    async def holds(self, condition: str) -> None:
        """Wait until an expression is true; our CSP forbids what `wait_for_function` would do."""
        look = f"async () => {{ while (!({condition})) await new Promise((next) => setTimeout(next, 50)); }}"
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await self.page.evaluate(look)

    async def is_told(self, state: str) -> None:
        """The tab is `hidden` behind another, or `visible` again."""
        await self.page.evaluate(VISIBILITY, state)

    async def fill_address(self) -> None:
        """Type where it goes."""
        form = self.page.locator(".checkout-form")
        for name in ("name", "street", "postal_code", "city"):
            await form.locator(f"input[name={name}]").fill(SHIP_TO[name])

    async def state_is(self, state: str) -> None:
        """The page says that the order is in this state, without being loaded again."""
        await expect(self.page.get_by_test_id("order-state")).to_have_attribute(
            "data-state", state, timeout=PATIENCE_MS
        )

    async def left_is(self, left: int) -> None:
        """The card says how many are left."""
        await expect(self.page.get_by_test_id("stock-left")).to_have_text(str(left), timeout=PATIENCE_MS)

    async def stay_on_page(self) -> None:
        """Mark the document, so that `same_page` tells whether it was loaded again."""
        await self.page.evaluate("window.neverReloaded = true")

    async def same_page(self) -> None:
        assert await self.page.evaluate("window.neverReloaded === true"), "the page was loaded again"

    async def fits(self) -> None:
        """Nothing sticks out to the right of the window."""
        wide = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide at {self.page.viewport_size}"

    async def is_accessible(self) -> None:
        """Nobody is kept out by the page as it stands: contrast, names, roles, order (axe-core)."""
        await self.page.evaluate(AXE.read_text("utf-8"))
        barriers = await self.page.evaluate(BARRIERS)
        assert not barriers, f"{self.page.url}: " + "\n".join(barriers)

    async def shoot(self, name: str) -> None:
        """Pictures at three widths into the folder LIVESALE_SHOTS names; the page must fit and be accessible in any case."""
        await self.is_accessible()
        before = self.page.viewport_size
        for size in (PHONE, TABLET, WIDE):
            await self.page.set_viewport_size(size)  # type: ignore[arg-type]
            await self.fits()
            if SHOTS:
                folder = Path(SHOTS)
                folder.mkdir(parents=True, exist_ok=True)
                await self.page.screenshot(path=folder / f"{name}-{size['width']}.png")
        if before:
            await self.page.set_viewport_size(before)
