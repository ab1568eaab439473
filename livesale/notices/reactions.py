"""What notices do when something happened: write down which mails it asks for. The postman does the rest.

This is all the reader waits for, one commit: a mail server that is slow or away holds up neither orders nor the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from livesale.guardians.events import APPROVAL_CHANGED
from livesale.guardians.model import Approval
from livesale.kernel.events import Event
from livesale.kernel.refusals import Refusal
from livesale.notices import model
from livesale.notices.model import Mail
from livesale.notices.people import People
from livesale.orders.model import Order
from livesale.store.decision import Decision, Mark
from livesale.store.readers import Reaction
from livesale.store.record import load, put
from livesale.store.valkey import Records, Store


class Nothing(Exception):
    """There is nothing left to do: a repeated event."""


@dataclass(frozen=True, slots=True)
class Notices:
    """The notices' reader. `tell(shelf, mail id)` is called for each mail written down, so that it goes out at once."""

    store: Store
    people: People
    tell: Callable[[str, str], None]

    def reactions(self) -> tuple[Reaction, ...]:
        """The events that mails tell of, in the states that matter: the rest, every hold above all, costs a look-up."""
        return tuple(Reaction(kind, self.handle, frozenset(states) - {""}) for kind, states in model.MAILED.items())

    async def handle(self, shelf: str, event: Event) -> None:
        """Write down the mails of one event, all in one commit; a repetition finds them there."""
        wanted = [
            (model.mail_id(shelf, event, notice.kind, account, device), notice.kind, account, device)
            for notice in model.notices(event)
            for account in await self._accounts(shelf, event, notice.to)
            for device in ("", *await self._browsers(notice.kind, account))
        ]
        if not wanted:
            return
        names = tuple(f"mail:{mail}" for mail, *_ in wanted)
        written: list[str] = []

        def decide(records: Records, now_ms: int) -> Decision:
            new = [
                Mail(mail, kind, to, now_ms, now_ms, event, device)
                for mail, kind, to, device in wanted
                if not records[f"mail:{mail}"]
            ]
            if not new:
                raise Nothing
            written[:] = [mail.id for mail in new]
            return Decision(
                shelf,
                counters=tuple(move for mail in new for move in model.moves(None, mail)),
                puts=tuple(put(f"mail:{mail.id}", None, mail) for mail in new),
                marks=tuple(Mark("mail", mail.id, mail.next_at) for mail in new),
            )

        try:
            await self.store.act(shelf, names, decide)
        except Nothing:
            return
        for mail in written:
            self.tell(shelf, mail)

    async def _accounts(self, shelf: str, event: Event, role: model.Role) -> list[str]:
        if role == "guardians":
            if event["type"] == APPROVAL_CHANGED and event["state"] == "requested" and await self._is_answered(shelf, event):
                return []
            void = event["type"] == APPROVAL_CHANGED and event["state"] == "void"  # perhaps because their link has ended
            with _asked_again():
                return await self.people.guardians_of(event["minor"], event["requested_at"] if void else None)
        if role == "linked":
            return [event["minor"], event["guardian"]]
        if role == "payer":
            return await self._payer(shelf, event["order"])
        return [event["owner"] if "owner" in event else event["minor"]]

    async def _browsers(self, kind: str, account: str) -> list[str]:
        """Where the account hears it at once."""
        if kind not in model.PUSHED:
            return []
        with _asked_again():
            return await self.people.browsers_of(account)

    async def _is_answered(self, shelf: str, event: Event) -> bool:
        """Whether an allowance, which reacts before mails do, has agreed to a request: then nobody is asked."""
        name = f"approval:{event['approval']}"
        approval = load(Approval, (await self.store.read(shelf, name))[name])
        return approval is not None and bool(approval.spend)

    async def _payer(self, shelf: str, order_id: str) -> list[str]:
        """The guardian who approved, when the order was a minor's."""
        order = load(Order, (await self.store.read(shelf, f"order:{order_id}"))[f"order:{order_id}"])
        if order is None or order.approval is None:
            return []
        name = f"approval:{order.approval}"
        approval = load(Approval, (await self.store.read(shelf, name))[name])
        return [approval.guardian] if approval and approval.guardian else []


@contextmanager
def _asked_again() -> Iterator[None]:
    """While the database is away the fact is read again."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise Refusal("store_unavailable", "Who is to be told cannot be looked up.") from error
