"""Family links over HTTP: invite, accept, remove, take back, declare, stop. Every change needs a fresh proof but a stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
import segno

from livesale.guardians.families import Families
from livesale.guardians.family import Authority, Family, Mode, Tie
from livesale.guardians.invitations import Invitations, Way
from livesale.guardians.model import LINK_MUST_STAND_MS
from livesale.guardians.store import Invitation
from livesale.kernel.clock import rfc3339
from livesale.kernel.ids import is_name
from livesale.kernel.refusals import not_found
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route


class Invite(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to invite. `code`: nothing is mailed, the link is for a screen (see its `code`)."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    way: Way = "mail"


class InvitationView(msgspec.Struct):
    """An invitation. `invites`: to become a guardian, or to be looked after (a minor)."""

    id: str
    invites: str
    way: str
    inviter_name: str
    expires_at: str
    state: str


class CodeView(msgspec.Struct):
    """An invitation for a screen: its link, and the same as a QR code, row by row, `1` is dark."""

    link: str
    rows: list[str]
    expires_at: str


class LinkView(msgspec.Struct):
    """A family link between two accounts. `verified` when an operator has checked it; else it is enough to agree from
    `counts_from` on. `ends_at`: when its removal takes effect; until then it can be taken back.
    """

    id: str
    minor: str
    guardian: str
    verified: bool
    minor_name: str
    guardian_name: str
    counts_from: str
    ends_at: str | None
    mode: str
    authority: str
    frozen: bool


class LinkPage(msgspec.Struct):
    """Your family links."""

    items: list[LinkView]
    next: str | None = None


class Declare(msgspec.Struct, forbid_unknown_fields=True):
    """How you decide beside another guardian, and whom you represent the child with.

    `all`: both must agree, whatever it costs. `any`: either may, below 100 of the currency; above too once both have
    declared that they represent the child alone (`sole`) or each for both (`mutual`).
    """

    mode: Mode
    authority: Authority


class Stop(msgspec.Struct, forbid_unknown_fields=True):
    """`frozen`: nothing can be asked for or bought; what is open ends at once."""

    frozen: bool


class WardView(msgspec.Struct):
    """How a ward's family decides now."""

    minor: str
    mode: Literal["any", "all"]
    frozen: bool


NameOf = Callable[[str], Awaitable[str]]


def routes(families: Families, invitations: Invitations, name_of: NameOf) -> list[Route]:
    """Every route of links."""
    at = _Handlers(families, invitations, name_of)
    invited = "/guardians/invitations"
    return [
        Route("GET", "/guardians/links", at.links, "Your family links", ACCOUNT, answer=LinkPage),
        Route(
            "POST", invited, at.invite, "Invite your guardian, or someone you look after", ACCOUNT, Invite, InvitationView,
            201, refuses=("step_up_required", "conflict", "limit_reached"),
        ),
        Route("GET", f"{invited}/{{invitation}}", at.read, "Who invites you", ACCOUNT, answer=InvitationView),
        Route(
            "GET", f"{invited}/{{invitation}}/code", at.code, "Your invitation as a QR code", ACCOUNT, answer=CodeView,
            refuses=("gone",),
        ),
        Route(
            "POST", f"{invited}/{{invitation}}/accept", at.accept, "Accept an invitation", ACCOUNT, answer=LinkView,
            refuses=("step_up_required", "gone", "limit_reached"),
        ),
        Route(
            "DELETE", "/guardians/links/{link}", at.remove, "Remove a link; takes 24 hours, both are told", ACCOUNT,
            answer=LinkView, refuses=("step_up_required", "conflict"),
        ),
        Route(
            "POST", "/guardians/links/{link}/keep", at.keep, "Take a removal back", ACCOUNT, answer=LinkView,
            refuses=("step_up_required", "conflict"),
        ),
        Route(
            "PUT", "/wards/{minor}/authority", at.declare, "How you decide beside another guardian", ACCOUNT, Declare,
            WardView, refuses=("step_up_required",),
        ),
        Route(
            "PUT", "/wards/{minor}/freeze", at.freeze, "Stop all buying at once, or let it go on", ACCOUNT, Stop, WardView,
            refuses=("step_up_required", "conflict"),
        ),
    ]  # fmt: skip


class _Handlers:
    def __init__(self, families: Families, invitations: Invitations, name_of: NameOf) -> None:
        self._families = families
        self._invitations = invitations
        self._name_of = name_of

    async def links(self, call: Call) -> Answer:
        views = []
        for link in await self._families.links_of(call.account().account):
            family = await self._families.of(link.minor)
            if tie := family.of(link.guardian, self._families.store.now_ms()):
                views.append(await self._link(link.minor, tie, family))
        return Answer(LinkPage(views))

    async def invite(self, call: Call) -> Answer:
        made = await self._invitations.invite(call.account(), call.body.email, call.body.way, call.act())
        return Answer(await self._invitation(made), 201)

    async def read(self, call: Call) -> Answer:
        return Answer(await self._invitation(await self._invitations.read(call.account(), call.path["invitation"])))

    async def code(self, call: Call) -> Answer:
        found, link = await self._invitations.code(call.account(), call.path["invitation"])
        rows = ["".join("1" if dark else "0" for dark in row) for row in segno.make_qr(link).matrix]
        return Answer(CodeView(link, rows, rfc3339(found.expires_ms)))

    async def accept(self, call: Call) -> Answer:
        minor, tie = await self._invitations.accept(call.account(), call.path["invitation"], call.act())
        return Answer(await self._link(minor, tie, await self._families.of(minor)))

    async def remove(self, call: Call) -> Answer:
        minor, tie = await self._families.remove(call.account(), call.path["link"], call.act())
        return Answer(await self._link(minor, tie, await self._families.of(minor)))

    async def keep(self, call: Call) -> Answer:
        minor, tie = await self._families.keep(call.account(), call.path["link"], call.act())
        return Answer(await self._link(minor, tie, await self._families.of(minor)))

    async def declare(self, call: Call) -> Answer:
        minor, body = self._minor(call), call.body
        family = await self._families.declare(call.account(), minor, body.mode, body.authority, call.act())
        return Answer(self._ward(minor, family))

    async def freeze(self, call: Call) -> Answer:
        minor = self._minor(call)
        return Answer(self._ward(minor, await self._families.freeze(call.account(), minor, call.body.frozen, call.act())))

    def _minor(self, call: Call) -> str:
        return named(call.path["minor"])

    def _ward(self, minor: str, family: Family) -> WardView:
        every = family.active(self._families.store.now_ms())
        together = any(tie.mode == "all" for tie in every) and len(every) > 1
        return WardView(minor, "all" if together else "any", bool(family.frozen_by))

    async def _invitation(self, found: Invitation) -> InvitationView:
        state = "used" if found.used_ms else "open" if found.is_open(self._families.store.now_ms()) else "expired"
        name = await self._name_of(found.inviter)
        return InvitationView(found.id, found.invites, found.way, name, rfc3339(found.expires_ms), state)

    async def _link(self, minor: str, tie: Tie, family: Family) -> LinkView:
        counts_from = tie.since if tie.verified else tie.since + LINK_MUST_STAND_MS
        return LinkView(
            tie.id, minor, tie.guardian, tie.verified, await self._name_of(minor), await self._name_of(tie.guardian),
            rfc3339(counts_from), None if tie.ends_at is None else rfc3339(tie.ends_at), tie.mode, tie.authority,
            bool(family.frozen_by),
        )  # fmt: skip


def named(minor: str) -> str:
    """The account a path names, if it can be one."""
    if not is_name(minor):
        raise not_found("ward")
    return minor
