"""Invitations into a family, both ways: by mail, or as a code that the guardian reads off the minor's phone.

Law: an invitation is for one mail address and works for the signed-in account that has it, once; forwarded or leaked it
works for nobody else, and reading it decides nothing. Its token is never kept: it is the id under a key of ours. A mailed
one is shown to nobody but its reader, so that accepting it proves the mail box.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from livesale.accounts.model import checked, folded
from livesale.accounts.signins import check_fresh
from livesale.guardians import store as rows
from livesale.guardians.families import Families
from livesale.guardians.family import Tie
from livesale.guardians.store import Invitation, new_link_id
from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS, MINUTE_MS
from livesale.kernel.ids import name_from, random_name
from livesale.kernel.refusals import Refusal, not_found
from livesale.store.database import reading

Way = Literal["mail", "code"]
OPEN_FOR_MS: dict[Way, int] = {"mail": 7 * DAY_MS, "code": 15 * MINUTE_MS}
MOST_A_DAY = 10  # of one account

Seal = Callable[[str, bytes, str], Awaitable[bytes]]
# (address, the inviter, what it invites to become, the link): mails it; raises when it cannot
Send = Callable[[str, str, str, str], Awaitable[None]]

# (address, the minor, until when (ms), the link): mails the question
Ask = Callable[[str, str, int, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Knower:
    """What invitations need of accounts. `adult` by any method; `mail` is the folded address."""

    adult: Callable[[str], Awaitable[bool]]
    mail: Callable[[str], Awaitable[str]]
    seal: Seal


@dataclass(frozen=True, slots=True)
class Invitations:
    """Makes and accepts them. `origin` is where links lead, `send` None: this machine sends no mails."""

    database: AsyncEngine
    families: Families
    knower: Knower
    key: bytes
    origin: str
    send: Send | None

    async def invite(self, actor: Actor, email: str, way: Way, act: str = "") -> Invitation:
        """Invite whoever has the address; a minor invites a guardian, an adult someone to look after."""
        now_ms = self.families.store.now_ms()
        check_fresh(actor, now_ms)
        address = checked("email", folded, email)
        if address == await self.knower.mail(actor.account):
            raise Refusal("invalid", "Nobody is their own guardian.", [{"field": "email", "detail": "is your own"}])
        if way == "mail" and self.send is None:
            raise Refusal("conflict", "This machine sends no mails. Show a code instead.")
        adult = await self.knower.adult(actor.account)
        made = Invitation(
            f"fi_{name_from(act) if act else random_name()}", actor.account, "minor" if adult else "guardian", way,
            self._hash(address), b"", now_ms, now_ms + OPEN_FOR_MS[way],
        )  # fmt: skip
        sealed = await self.knower.seal(actor.account, address.encode(), f"invitation:{made.id}")
        async with self.database.begin() as connection:
            if known := await rows.invitation(connection, made.id):
                return known
            if len(await rows.invitations_of(connection, actor.account, now_ms - DAY_MS)) >= MOST_A_DAY:
                raise Refusal("limit_reached", f"That is {MOST_A_DAY} invitations in a day. Please try again tomorrow.")
            await rows.add_invitation(connection, replace(made, email=sealed))
        if way == "mail" and self.send:
            await self.send(address, actor.account, made.invites, self.link(made))
        return made

    async def ask(self, minor: str, email: str, about: str, until_ms: int, send: Ask) -> None:
        """Invite a guardian in the minor's name to answer a question (by its id) in time; mailed again when asked again."""
        address = checked("guardian_email", folded, email)
        if address == await self.knower.mail(minor):
            detail = {"field": "guardian_email", "detail": "is the buyer's own"}
            raise Refusal("invalid", "Nobody is their own guardian.", [detail])
        made = Invitation(
            f"fi_{name_from(f'{about} {self._hash(address)}')}", minor, "guardian", "mail", self._hash(address), b"",
            self.families.store.now_ms(), until_ms,
        )  # fmt: skip
        sealed = await self.knower.seal(minor, address.encode(), f"invitation:{made.id}")
        async with self.database.begin() as connection:
            if await rows.invitation(connection, made.id) is None:
                await rows.add_invitation(connection, replace(made, email=sealed))
        await send(address, minor, until_ms, self.link(made))

    async def code(self, actor: Actor, invitation_id: str) -> tuple[Invitation, str]:
        """The link of an open invitation by code, for the screen of who made it."""
        async with reading(self.database) as connection:
            found = await rows.invitation(connection, invitation_id)
        if found is None or found.inviter != actor.account or found.way != "code":
            raise not_found("invitation")
        if not found.is_open(self.families.store.now_ms()):
            raise Refusal("gone", "This code has been used or is too old. Please make a new one.")
        return found, self.link(found)

    async def read(self, actor: Actor, token: str) -> Invitation:
        """The invitation a token stands for, if it is for this account; to anyone else it does not exist."""
        invitation_id, _, mac = token.partition(".")
        if not hmac.compare_digest(mac, self._mac(invitation_id)):
            raise not_found("invitation")
        async with reading(self.database) as connection:
            found = await rows.invitation(connection, invitation_id)
        if found is None or not hmac.compare_digest(found.email_hash, self._hash(await self.knower.mail(actor.account))):
            raise not_found("invitation")
        return found

    async def accept(self, actor: Actor, token: str, act: str = "") -> tuple[str, Tie]:
        """Become what one was invited to: the minor, and the new tie. Once; a fresh proof is needed."""
        now_ms = self.families.store.now_ms()
        check_fresh(actor, now_ms)
        found = await self.read(actor, token)
        if found.used_ms is None and now_ms >= found.expires_ms:
            raise Refusal("gone", "This invitation is too old. Please ask for a new one.")
        minor, guardian = found.inviter, actor.account
        if found.invites == "minor":
            minor, guardian = guardian, minor
        if not await self.knower.adult(guardian):
            raise Refusal("forbidden", "Only an adult can be a guardian.")
        if await self.knower.adult(minor):
            raise Refusal("forbidden", "Only someone under age can have a guardian.")
        tie = Tie(new_link_id(), guardian, now_ms)
        made = await self.families.join(minor, tie, actor.account, act, found.id)
        async with self.database.begin() as connection:
            await rows.use_invitation(connection, found.id, now_ms)
        return minor, made

    def link(self, made: Invitation) -> str:
        """What is mailed or shown: the secret stands behind a `#`, so no server on the way is ever sent it."""
        return f"{self.origin}/guardian#invitation={self.token(made.id)}"

    def token(self, invitation_id: str) -> str:
        """The one token of an invitation."""
        return f"{invitation_id}.{self._mac(invitation_id)}"

    def _mac(self, invitation_id: str) -> str:
        return hashlib.blake2b(invitation_id.encode(), key=self.key, digest_size=18, person=b"invitation").hexdigest()

    def _hash(self, address: str) -> str:
        return hashlib.blake2b(address.encode(), key=self.key, digest_size=32, person=b"invited").hexdigest()
