"""The sandbox's routes: bearer key, idempotent posts, questions, and the buyer's confirmation page."""

from __future__ import annotations

import hmac
from typing import TypeVar

import msgspec
from aiohttp import web

from livesale.kernel.refusals import Refusal, invalid
from livesale.payments.paysim import page, postings
from livesale.payments.paysim.answers import Act, Answers
from livesale.payments.paysim.book import Book
from livesale.payments.paysim.intents import Intents, NewIntent, load, made_since, return_url_of, with_reference
from livesale.payments.provider import Attempt

LIVE_KEY_PREFIX = "sk_live"
PAGE = 500

B = TypeVar("B", bound=msgspec.Struct)


class AmountAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a capture or refund: minor units; `currency`, when given, must be the payment's."""

    amount: int
    currency: str | None = None


class NoBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a void."""


class Sandbox:
    """The routes, over one book."""

    def __init__(
        self, book: Book, answers: Answers, intents: Intents, secret: str, public_url: str | None
    ) -> None:
        self._book = book
        self._answers = answers
        self._intents = intents
        self._secret = secret
        self._public_url = public_url

    def routes(self) -> list[web.RouteDef]:
        """Everything the sandbox answers."""
        return [
            web.post("/v1/intents", self.create),
            web.get("/v1/intents", self.search),
            web.get("/v1/intents/{intent}", self.show),
            web.post("/v1/intents/{intent}/capture", self.capture),
            web.post("/v1/intents/{intent}/void", self.void),
            web.post("/v1/intents/{intent}/refunds", self.refund),
            web.get("/v1/intents/{intent}/refunds/{key}", self.refund_made),
            web.get("/v1/balance", self.balance),
            web.get("/v1/ledger", self.ledger),
            web.get("/3ds/{intent}", self.confirmation_page),
            web.post("/3ds/{intent}", self.confirm),
            web.get("/healthz", self.health),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/intents`."""
        asked = await _body(request, NewIntent)
        return await self._once(
            request, asked, lambda db: self._addressed(request, self._intents.create(db, asked))
        )

    async def capture(self, request: web.Request) -> web.Response:
        """`POST /v1/intents/{id}/capture`."""
        asked, intent = await _body(request, AmountAsked), request.match_info["intent"]
        return await self._once(
            request, asked, lambda db: self._intents.capture(db, intent, asked.amount, asked.currency)
        )

    async def refund(self, request: web.Request) -> web.Response:
        """`POST /v1/intents/{id}/refunds`."""
        asked, intent = await _body(request, AmountAsked), request.match_info["intent"]
        return await self._once(
            request, asked, lambda db: self._intents.refund(db, intent, asked.amount, asked.currency)
        )

    async def refund_made(self, request: web.Request) -> web.Response:
        """`GET /v1/intents/{id}/refunds/{key}`: what the refund under this key came to; 404 when none was tried."""
        status, body = await self._answers.first(request.match_info["key"], request.path.rpartition("/")[0])
        return web.Response(status=status, body=body, content_type="application/json")

    async def void(self, request: web.Request) -> web.Response:
        """`POST /v1/intents/{id}/void`."""
        intent = request.match_info["intent"]
        return await self._once(
            request, await _body(request, NoBody), lambda db: self._intents.void(db, intent)
        )

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/intents/{id}`."""
        intent = request.match_info["intent"]
        return _json(await self._book.act(lambda db: self._addressed(request, load(db, intent))))

    async def search(self, request: web.Request) -> web.Response:
        """`GET /v1/intents?reference=`, or `?since=MS&after=ID`: payments in the order they were made, by pages."""
        reference, since = request.query.get("reference"), request.query.get("since")
        if reference is not None:
            found = await self._book.act(lambda db: with_reference(db, reference))
        elif since is not None and since.isascii() and since.isdigit() and len(since) < 16:
            after = request.query.get("after")
            found = await self._book.act(lambda db: made_since(db, int(since), after, PAGE))
        else:
            raise invalid("reference", "is needed to find payments, or `since` in ms to list them")
        items = [self._addressed(request, payment) for payment in found]
        return _json({"items": items, "next": items[-1].provider_id if len(items) == PAGE else None})

    async def balance(self, request: web.Request) -> web.Response:
        """`GET /v1/balance`: `{accounts: {account: {currency: minor units}}}`."""
        return _json({"accounts": await self._book.act(postings.balances)})

    async def ledger(self, request: web.Request) -> web.Response:
        """`GET /v1/ledger?after=`: entries in order, `next` to go on from (null at the end)."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 16):
            raise invalid("after", "must be the `next` of the page before")
        items = await self._book.act(lambda db: postings.entries(db, int(after), PAGE))
        return _json({"items": items, "next": items[-1]["seq"] if len(items) == PAGE else None})

    async def confirmation_page(self, request: web.Request) -> web.Response:
        """`GET /3ds/{id}`: shows, never decides (mail scanners and previews load pages)."""
        intent = request.match_info["intent"]
        payment, back = await self._book.act(lambda db: (load(db, intent), return_url_of(db, intent)))
        headers = {"Content-Security-Policy": page.policy(back), "Cache-Control": "no-store"}
        return web.Response(text=page.confirmation(payment, back), content_type="text/html", headers=headers)

    async def confirm(self, request: web.Request) -> web.Response:
        """`POST /3ds/{id}` with `decision=approve|decline`: decides once, then leads back to the shop."""
        intent, decision = request.match_info["intent"], (await request.post()).get("decision")
        if decision not in ("approve", "decline"):
            raise invalid("decision", "must be approve or decline")
        _, back = await self._book.act(
            lambda db: (self._intents.confirm(db, intent, decision == "approve"), return_url_of(db, intent))
        )
        return web.Response(status=303, headers={"Location": back or f"/3ds/{intent}"})

    async def health(self, request: web.Request) -> web.Response:
        """`GET /healthz`: 200 once the file can be read."""
        await self._book.act(lambda db: db.execute("SELECT 1").fetchone())
        return _json({"status": "ok"})

    def authorise(self, request: web.Request) -> None:
        """Refuses a request under `/v1` without the sandbox's key, and any live key at all."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if key.strip().startswith(LIVE_KEY_PREFIX):
            raise Refusal("forbidden", "This is a sandbox: a live key must never be sent to it.")
        given, expected = key.strip().encode(errors="replace"), self._secret.encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, expected):
            raise Refusal("unauthenticated", "Authorization: Bearer with the sandbox's secret key is needed.")

    async def _once(self, request: web.Request, asked: msgspec.Struct, act: Act) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        status, body = await self._answers.once(key, request.path, asked, act)
        kind = "application/json" if status < 400 else "application/problem+json"
        return web.Response(status=status, body=body, content_type=kind)

    def _addressed(self, request: web.Request, payment: Attempt) -> Attempt:
        if payment.state != "requires_action":
            return payment
        base = self._public_url or str(request.url.origin())
        return msgspec.structs.replace(payment, redirect_url=f"{base.rstrip('/')}/3ds/{payment.provider_id}")


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


async def _body(request: web.Request, kind: type[B]) -> B:
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise invalid("body", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("malformed", f"The body is no JSON: {error}") from error
