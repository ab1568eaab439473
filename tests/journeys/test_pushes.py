"""A guardian is told in the browser. No push service is asked: the browser's part of subscribing is stood in for, and what
the system sends is delivered through the browser's own debugging door.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playwright.async_api import CDPSession, Page, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE, Person
from tests.journeys.test_family import at_desk, registered
from tests.support.pushservice import Browser, PushService
from tests.support.system import System, until

# What the browser would have arranged with its push service.
SUBSCRIBES = """(told) => {
  const made = {endpoint: told.endpoint, toJSON: () => ({endpoint: told.endpoint, keys: told}),
    unsubscribe: async () => { localStorage.removeItem('subscribed'); return true; }};
  PushManager.prototype.subscribe = async function (options) {
    if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error('badly asked for');
    localStorage.setItem('subscribed', 'yes');
    return made;
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem('subscribed') ? made : null);
}"""
SHOWN = """async () => (await (await navigator.serviceWorker.getRegistration('/guardian')).getNotifications())
  .map(({title, body, lang, tag}) => ({title, body, lang, tag}))"""
# A click cannot be made on a system's notification: the event is, and what the worker then opens is written down.
CLICKS = """async () => {
  const [shown] = await self.registration.getNotifications();
  const opened = [];
  self.clients.openWindow = async (address) => { opened.push(address); };
  self.clients.matchAll = async () => [];
  const event = new NotificationEvent('notificationclick', {notification: shown});
  const waits = [];
  event.waitUntil = (work) => waits.push(work);
  self.dispatchEvent(event);
  await Promise.all(waits);
  return {opened, left: (await self.registration.getNotifications()).length};
}"""


async def told(guardian: Person, browser: Browser) -> None:
    await guardian.context.add_init_script(f"({SUBSCRIBES})({json.dumps(browser.told())})")
    await guardian.page.reload()


async def deliver(page: Page, said: dict[str, Any]) -> None:
    """As the push service would, through the browser's debugging door."""
    door: CDPSession = await page.context.new_cdp_session(page)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def registered_at(event: dict[str, Any]) -> None:
        for one in event["registrations"]:
            if one["scopeURL"].endswith("/guardian") and not one["isDeleted"] and not found.done():
                found.set_result(one["registrationId"])

    door.on("ServiceWorker.workerRegistrationUpdated", registered_at)
    await door.send("ServiceWorker.enable")
    origin = "/".join(page.url.split("/")[:3])
    sent = {"origin": origin, "registrationId": await found, "data": json.dumps(said)}
    await door.send("ServiceWorker.deliverPushMessage", sent)


async def test_a_request_rings_in_the_guardian_s_browser(system: System, arrive: Arrive) -> None:
    """Switched on, the browser hears of a request at once: neutral words, one notification however often it is sent, a click
    leads to the requests; and switched off it hears nothing more.
    """
    minor_mail, guardian_mail = registered(system, "2011-05-04", "Mika"), registered(system, "1980-02-03", "Gero")
    system.link(minor_mail, guardian_mail)
    service = PushService()
    browser = service.browser()
    guardian = await at_desk(arrive, guardian_mail, "de-DE", viewport=PHONE, permissions=["notifications"])
    page = guardian.page
    await told(guardian, browser)
    card = page.get_by_test_id("pushes")
    await expect(card).to_have_attribute("data-state", "off")
    await page.get_by_test_id("push-switch").focus()
    await page.keyboard.press("Enter")
    await expect(card).to_have_attribute("data-state", "on")
    await expect(page.get_by_test_id("push-switch")).to_be_focused()
    await guardian.shoot("guardian-push")
    show = system.new_show("Rings", {"quantity": 20})
    minor = system.api(minor_mail)
    minor.check_out(minor.hold(show["id"], show["offers"][0]["id"]).body, None)
    await asyncio.to_thread(until, lambda: service.of(browser), "the push")
    [pushed] = service.of(browser)
    for _ in "12":
        await deliver(page, pushed.said)
    await guardian.holds(f"(await ({SHOWN})()).length")
    words = {"title": "livesale", "body": "Eine Anfrage wartet auf deine Antwort.", "lang": "de"}
    assert await page.evaluate(SHOWN) == [{**words, "tag": pushed.said["tag"]}]
    worker = page.context.service_workers[0]
    assert await worker.evaluate(CLICKS) == {"opened": ["/guardian"], "left": 0}
    await page.get_by_test_id("push-switch").click()
    await expect(card).to_have_attribute("data-state", "off")
    assert system.api(guardian_mail).did("GET", "/me/pushes")["items"] == []
    service.close()


async def test_the_switch_tells_what_is_so(system: System, arrive: Arrive) -> None:
    """A browser that is not allowed to says so; one whose push service cannot be reached does, too, and stays off; a minor
    has no switch at all.
    """
    blocked = await at_desk(arrive, registered(system, "1980-02-03", "Gero"), "en-GB")
    await blocked.context.add_init_script("Object.defineProperty(Notification, 'permission', {get: () => 'denied'})")
    await blocked.page.reload()
    state = blocked.page.get_by_test_id("pushes")
    await expect(state).to_have_attribute("data-state", "blocked")
    await expect(state).to_contain_text("Blocked")
    away = await at_desk(arrive, registered(system, "1980-02-03", "Gero"), "en-GB", permissions=["notifications"])
    await away.page.get_by_test_id("push-switch").click()
    await expect(away.page.get_by_test_id("pushes")).to_contain_text("cannot reach its push service")
    await expect(away.page.get_by_test_id("pushes")).to_have_attribute("data-state", "off")
    assert all("Push API" in trouble for trouble in away.troubles)  # the browser's own word about itself
    away.troubles.clear()
    old = await arrive(locale="en-GB")
    await old.context.add_init_script("delete window.PushManager")
    await old.sign_in("guardian@demo.example", "/guardian")
    await expect(old.page.get_by_test_id("pushes")).to_have_attribute("data-state", "unsupported")
    minor = await arrive("minor", "/guardian")
    await expect(minor.page.locator(".invite")).to_be_visible()
    await expect(minor.page.get_by_test_id("pushes")).to_have_count(0)
