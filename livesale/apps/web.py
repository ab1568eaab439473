"""`livesale web`: pages, `/api/v1`, the WHIP address, webhooks and probes. Holds no state: run as many as you like."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import msgspec
from aiohttp import web

from livesale.accounts.age_routes import routes as age_routes
from livesale.accounts.check_routes import routes as check_routes
from livesale.accounts.codes import Codes
from livesale.accounts.consent_routes import routes as data_consent_routes
from livesale.accounts.link_routes import routes as link_routes
from livesale.accounts.links import Links
from livesale.accounts.passkey_routes import routes as passkey_routes
from livesale.accounts.privacy_routes import routes as privacy_routes
from livesale.accounts.push_routes import routes as push_routes
from livesale.accounts.routes import Door
from livesale.accounts.routes import routes as account_routes
from livesale.accounts.signin_routes import routes as signin_routes
from livesale.apps.certificate import certificate_of
from livesale.apps.desk import Desk
from livesale.apps.doors import WebDoors
from livesale.apps.families import Minors, invitations_of
from livesale.apps.feeds import import_feed
from livesale.apps.hls import HlsDoor
from livesale.apps.mails import code_sender, dev_box, link_sender, receipt_sender, vapid_of
from livesale.apps.people import Callers
from livesale.apps.privacy import Privacy
from livesale.apps.ready import notify_ready
from livesale.apps.replay import Replays
from livesale.apps.whipdoor import WhipDoor
from livesale.apps.wiring import Wiring
from livesale.catalog.routes import FeedAnswer, KeepFeed
from livesale.catalog.routes import routes as catalog_routes
from livesale.guardians.allowance_routes import routes as allowance_routes
from livesale.guardians.bank_routes import routes as bank_routes
from livesale.guardians.consents import routes as consent_routes
from livesale.guardians.link_routes import routes as family_routes
from livesale.guardians.model import Approval
from livesale.guardians.routes import AskedLine, AskedShipTo, OrderAsked
from livesale.guardians.routes import routes as guardian_routes
from livesale.http.app import HttpOptions, make_app
from livesale.http.bodies import read_body
from livesale.http.peers import Peers
from livesale.http.server import Runner
from livesale.kernel.clock import SECOND_MS
from livesale.kernel.money import Money
from livesale.kernel.routing import Route
from livesale.ledger.routes import routes as ledger_routes
from livesale.notices.routes import DevPages
from livesale.notices.routes import routes as notice_routes
from livesale.ops.alarms import alarm_figures
from livesale.ops.mails import mail_figures
from livesale.ops.routes import routes as ops_routes
from livesale.orders.marking import Marking
from livesale.orders.marking_routes import routes as marking_routes
from livesale.orders.price_routes import routes as price_routes
from livesale.orders.pricing import shares
from livesale.orders.routes import routes as order_routes
from livesale.orders.sold_routes import routes as sold_routes
from livesale.orders.stock_routes import routes as stock_routes
from livesale.payments import webhooks
from livesale.payments.model import Payment
from livesale.payments.reactions import provider_said
from livesale.payments.stripe import SIGNATURE_HEADER as STRIPE_SIGNATURE
from livesale.payments.stripe import StripeProvider, verified
from livesale.settings import Settings
from livesale.shows.routes import routes as show_routes

WEB_DIST = Path(__file__).parent.parent / "web_dist"


async def run(settings: Settings) -> None:
    """Run until cancelled."""
    async with Wiring(settings) as wiring:
        await wiring.accounts.revocations.poll()  # before the first request: no ended sign-in is let in
        app = await application(wiring)
        runner = Runner(app)
        await runner.setup()
        await web.TCPSite(runner, settings.plain_host, settings.port, reuse_port=True, backlog=1024).start()
        certificate = certificate_of(settings)
        if certificate:
            tls, port = certificate.context, settings.ports.tls
            await web.TCPSite(runner, settings.host, port, reuse_port=True, backlog=1024, ssl_context=tls).start()
        notify_ready(settings.base_url, *settings.tls_urls)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(wiring.accounts.revocations.run())
                if certificate:
                    group.create_task(certificate.watch())
        finally:
            await runner.cleanup()


async def application(wiring: Wiring) -> web.Application:
    """Everything `web` serves."""
    settings = wiring.settings
    options = HttpOptions(
        trusted_proxies=settings.trusted_proxies,
        public_urls=settings.public_urls,
        probe_token=settings.probe_token,
        web_dist=WEB_DIST,
        pictures=settings.data / "pictures",
        figures=[partial(mail_figures, wiring.database), partial(alarm_figures, wiring.database)],
    )

    async def store_answers() -> None:
        await wiring.store.ask("PING")

    checks = {"store": store_answers}
    hls = HlsDoor(wiring)
    desk = Desk(wiring.store)
    app = make_app(all_routes(wiring, desk), Callers(wiring.accounts), wiring.store, options, checks, wiring.database)
    whip = WhipDoor(wiring)
    app.router.add_routes([*whip.routes(), *hls.routes(), *Replays(wiring).routes()])
    webhook = StripeWebhook(wiring).take if settings.payments.provider == "stripe" else Webhook(wiring).take
    app.router.add_post(f"/webhooks/{'stripe' if settings.payments.provider == 'stripe' else 'paysim'}", webhook)
    app.router.add_routes(DevPages(dev_box(settings), Peers(settings.trusted_proxies)).routes())
    app.cleanup_ctx.extend([whip.client, hls.client, desk.listen])
    app.on_shutdown.append(desk.close)
    return app


def all_routes(wiring: Wiring, desk: Desk) -> list[Route]:
    """The routes of every room."""
    doors = WebDoors(wiring)
    settings, now_ms = wiring.settings, wiring.store.now_ms
    door = Door(wiring.accounts, now_ms)
    links = Links(wiring.database, wiring.accounts, settings.public_url, now_ms, link_sender(settings, now_ms))
    privacy = Privacy(wiring, receipt_sender(settings, now_ms))
    codes = Codes(wiring.database, wiring.accounts, settings.key("token.key"), now_ms, code_sender(settings, now_ms))

    invitations = invitations_of(wiring)

    async def payment_of(approval: Approval) -> Payment | None:
        return await wiring.orders.payment(await wiring.orders.load(approval.order))

    async def feed(shop: str, data: bytes, keep: KeepFeed) -> FeedAnswer:
        return await import_feed(wiring, shop, data, None, keep)

    return [
        *account_routes(wiring.accounts, codes, door),
        *signin_routes(wiring.accounts.sign_ins),
        *age_routes(wiring.ages, door),
        *check_routes(wiring.checks, now_ms),
        *data_consent_routes(wiring.consents, wiring.people.check_guards),
        *privacy_routes(privacy.export, privacy.erase),
        *push_routes(wiring.pushes, vapid_of(settings).public),
        *passkey_routes(wiring.passkeys, door, wiring.settings.public_urls),
        *link_routes(links, door),
        *catalog_routes(wiring.database, feed, wiring.in_stock, wiring.can_sell),
        *show_routes(wiring.shows, doors.doors()),
        *order_routes(wiring.orders, wiring.offers, wiring.waiting, doors.orders_of, wiring.sold),
        *stock_routes(wiring.transfers, wiring.can_sell),
        *price_routes(wiring.shipping, wiring.coupons, wiring.orders, wiring.can_sell),
        *marking_routes(Marking(wiring.store, Minors(wiring, invitations))),
        *sold_routes(wiring.sold, doors.sold_by, doors.ship_to),
        *guardian_routes(wiring.guardians, Details(wiring), doors.approvals_of, wiring.people.name_of, desk.news),
        *bank_routes(wiring.guardians.seen, payment_of),
        *consent_routes(wiring.guardians, wiring.allowances, doors.approvals_of),
        *allowance_routes(wiring.allowances, wiring.people.seal),
        *family_routes(wiring.guardians.families, invitations, wiring.people.name_of),
        *notice_routes(dev_box(wiring.settings)),
        *ledger_routes(wiring.database),
        *ops_routes(wiring.store, wiring.database, wiring.settings.data),
    ]


class Details:
    """What a guardian (or the minor) reads of the order behind a request: lines, ship-to, who asks."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    async def __call__(self, approval: Approval) -> OrderAsked:
        order = await self._wiring.orders.load(approval.order)
        people = self._wiring.people
        ship_to = await people.unseal(order.account, order.ship_to, f"ship_to:{order.id}")
        lines = [
            AskedLine(
                line.offer, line.product, line.title, line.image, line.quantity, Money(line.price, order.currency)
            )
            for line in order.lines
        ]
        name = await people.name_of(approval.minor)
        return OrderAsked(
            lines, msgspec.json.decode(ship_to, type=AskedShipTo), name, order.state,
            Money(order.shipping, order.currency), Money(order.discount(), order.currency), shares(order),
            order.reservation == "held",
        )  # fmt: skip


class Webhook:
    """Takes the payment provider's word that something happened; the worker asks what."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        settings = wiring.settings
        self._secret = webhook_secret(settings)

    async def take(self, request: web.Request) -> web.Response:
        """204 once the news is on the shelf; a repetition is harmless."""
        body = await read_body(request, webhooks.MAX_BODY_BYTES)
        header = request.headers.get(webhooks.SIGNATURE_HEADER)
        webhooks.verify(self._secret, header, body, self._wiring.store.now_ms() // SECOND_MS)
        event = webhooks.read(body)
        await provider_said(self._wiring.store, event.data.reference, event.id, event.type)
        return web.Response(status=204)


class StripeWebhook:
    """The same door for Stripe, whose events name our order in their metadata."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._secrets = wiring.settings.payments.webhook_secret.split()

    async def take(self, request: web.Request) -> web.Response:
        """204 once the news is on the shelf, or when it is about none of our orders."""
        body = await read_body(request, webhooks.MAX_BODY_BYTES)
        event = verified(self._secrets, request.headers.get(STRIPE_SIGNATURE), body)
        assert isinstance(self._wiring.provider, StripeProvider)
        if reference := await self._wiring.provider.reference_of(event):
            await provider_said(self._wiring.store, reference, event.id, event.type)
        return web.Response(status=204)


def webhook_secret(settings: Settings) -> str:
    """What the sandbox signs its webhooks with."""
    return settings.payments.webhook_secret or f"whsec_{settings.key('sandbox.key').hex()}"
