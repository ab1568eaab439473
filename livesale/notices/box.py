"""Box: the folder of dev mails, DATA/mail: one `.eml` a mail, the newest 500, read by every web process alike."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import islice
from pathlib import Path

MOST_KEPT = 500

_NAME = re.compile(r"(?P<at>\d{13})-[0-9a-f]{32}\Z")
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail in the folder: `name` sorts by `at_ms`."""

    name: str
    at_ms: int
    message: EmailMessage

    @property
    def to(self) -> str:
        """The address it goes to."""
        return str(self.message["To"])

    def part(self, kind: str) -> str:
        """The `plain` or `html` form."""
        found = self.message.get_body((kind,))
        return str(found.get_content()).replace("\r\n", "\n") if found else ""

    def links(self) -> list[str]:
        """Where the mail leads."""
        return _LINK.findall(self.part("plain"))


@dataclass(frozen=True, slots=True)
class Box:
    """The folder; it need not exist before the first mail."""

    folder: Path

    def put(self, name: str, data: bytes) -> None:
        """Keep a mail under `name_of`'s name, whole or not at all; the oldest beyond 500 go."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f"{name}.part"
        part.write_bytes(data)
        os.replace(part, self._file(name))
        for old in self.names()[MOST_KEPT:]:
            self._file(old).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Every mail's name, newest first."""
        return sorted((file.stem for file in self.folder.glob("*.eml") if _NAME.match(file.stem)), reverse=True)

    def get(self, name: str) -> Kept | None:
        """The mail of that name; None when there is none (any more)."""
        found = _NAME.match(name)
        if found is None:
            return None
        try:
            message = message_from_bytes(self._file(name).read_bytes(), policy=default)
        except FileNotFoundError:
            return None
        assert isinstance(message, EmailMessage)
        return Kept(name, int(found["at"]), message)

    def newest(self, most: int, to: str | None = None, after: str | None = None) -> list[Kept]:
        """At most `most` mails to an address (or to all), newest first; only those older than the one named `after`."""
        older = (self.get(name) for name in self.names() if after is None or name < after)
        wanted = (mail for mail in older if mail and (to is None or mail.to.casefold() == to.casefold()))
        return list(islice(wanted, most))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.eml"


def name_of(at_ms: int, mail_id: str) -> str:
    """A mail's name: the same mail written again takes its own place."""
    return f"{at_ms:013d}-{mail_id}"
