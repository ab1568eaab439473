"""Message: a letter as the bytes that go out. The same mail written twice is the same bytes.

Law: headers are made of our own words, ids and two checked addresses, never of what people typed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from livesale.notices.letters import Letter
from livesale.notices.model import Mail


class Unmailable(Exception):
    """An address no mail can be written to."""


def message(letter: Letter, mail: Mail, order: str, to: Address, sender: Address) -> bytes:
    """The whole message, CRLF line ends, headers in ASCII; `order` keeps an order's mails together (empty: it is about none)."""
    host = sender.domain
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = to
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(mail.created // 1000, UTC))
    made["Message-ID"] = f"<{mail.id}@{host}>"
    if order:
        made["In-Reply-To"] = made["References"] = f"<{order}@{host}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    made["Content-Language"] = letter.language
    made.set_boundary(f"=_{mail.id}")
    return made.as_bytes()


def address(text: str) -> Address:
    """A mail address with its host in ASCII; Unmailable when it cannot be one."""
    name, _, host = text.rpartition("@")
    try:
        made = Address(username=name, domain=host.encode("idna").decode())
        if not (name and host and name.isascii()):  # others would need SMTPUTF8 (RFC 6531) all the way
            raise ValueError("no address")
    except Exception as error:  # the parser of addresses raises whatever it trips over
        raise Unmailable from error
    return made
