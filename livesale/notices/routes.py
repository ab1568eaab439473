"""Dev mails over HTTP, for this machine only: for programs a Route, for people a page beside the API."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from livesale.http.peers import Peers
from livesale.kernel.clock import rfc3339
from livesale.kernel.refusals import not_found
from livesale.kernel.routing import Answer, Call, Route
from livesale.notices.box import Box, Kept
from livesale.notices.page import FRAME_POLICY, STYLE, page

MOST_SHOWN = 50


class DevMail(msgspec.Struct, frozen=True):
    """A mail as it would have been sent; `links` are those of its plain text, in order."""

    to: str
    subject: str
    at: str
    text: str
    html: str
    message_id: str
    links: list[str]


class DevMails(msgspec.Struct, frozen=True):
    """Dev mails, newest first."""

    items: list[DevMail]
    next: str | None


def routes(box: Box | None) -> list[Route]:
    """The list for programs; without a `box` mails are really sent, and there is nothing to read."""

    async def listed(call: Call) -> Answer:
        if box is None or not call.local:
            raise not_found("address")
        limit = int(call.query.get("limit", MOST_SHOWN))
        found = await asyncio.to_thread(box.newest, limit + 1, call.query.get("to"), call.query.get("after"))
        more = found[limit - 1].name if len(found) > limit else None
        return Answer(DevMails([_shown(mail) for mail in found[:limit]], more))

    query = ("to", "limit", "after")
    return [
        Route(
            "GET", "/dev/mail", listed, "Dev mails, newest first; loopback only", answer=DevMails, query=query,
            refuses=("not_found",),
        )
    ]  # fmt: skip


class DevPages:
    """`/dev/mail` and what it shows; to anyone but this machine none of it is there."""

    def __init__(self, box: Box | None, peers: Peers) -> None:
        self._box = box
        self._peers = peers

    def routes(self) -> list[web.RouteDef]:
        """Their addresses, at the root."""
        return [
            web.get("/dev/mail", self._list),
            web.get("/dev/mail.css", self._style),
            web.get("/dev/mail/{mail}", self._frame),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        to = request.query.get("to")
        found = await asyncio.to_thread(self._admit(request).newest, MOST_SHOWN, to)
        return web.Response(text=page(found, to), content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _style(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.Response(text=STYLE, content_type="text/css")

    async def _frame(self, request: web.Request) -> web.Response:
        """A mail's HTML, under a policy that lets it do nothing."""
        mail = await asyncio.to_thread(self._admit(request).get, request.match_info["mail"])
        if mail is None:
            raise not_found("mail")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": FRAME_POLICY}
        return web.Response(text=mail.part("html"), content_type="text/html", headers=headers)

    def _admit(self, request: web.Request) -> Box:
        if self._box is None or not self._peers.of(request).local:
            raise not_found("address")
        return self._box


def _shown(mail: Kept) -> DevMail:
    message = mail.message
    return DevMail(
        mail.to, str(message["Subject"]), rfc3339(mail.at_ms), mail.part("plain"), mail.part("html"),
        str(message["Message-ID"]), mail.links(),
    )  # fmt: skip
