"""Mails about a family: in the reader's language, with names made harmless, and without an order or an age."""

from __future__ import annotations

import pytest

from livesale.notices.family import TOLD, family_letter, invitation_letter
from livesale.notices.model import mail_id, notices

LINK = {
    "type": "link_changed", "link": "fl_1", "minor": "mia", "guardian": "gita", "state": "ending", "before": "active",
    "until": 1_795_700_000_000, "at": 1_795_600_000_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", TOLD["de"])
@pytest.mark.parametrize(("country", "family"), [("DE", "Familie"), ("GB", "Family")])
def test_every_kind_in_both_languages(kind: str, country: str, family: str) -> None:
    """Names, the page, and nothing that names an age."""
    letter = family_letter(kind, LINK, "Mia", "Gita", country, "https://x")
    assert letter.subject.startswith(family)
    assert "Mia" in letter.text and "https://x/guardian" in letter.text and "https://x/guardian" in letter.html
    assert not any(word in letter.text.lower() for word in ("jahre", "years", "14-15", "minor"))


def test_when_a_link_ends_is_said() -> None:
    """To the second, at the reader's place."""
    assert "26.11.2026, 14:33:20 Uhr" in family_letter("link_ending", LINK, "Mia", "Gita", "DE", "https://x").text


@pytest.mark.parametrize("invites", ["guardian", "minor"])
def test_an_invitation(invites: str) -> None:
    """A name cannot forge a line or markup, and the link is whole in both forms."""
    link = "https://x/guardian#invitation=fi_1.ab"
    letter = invitation_letter("Mia\r\nBcc: all <b>", "DE", invites, link)
    assert "\nBcc" not in letter.text and "<b>" not in letter.html
    assert link in letter.text and link in letter.html


def test_both_ends_are_told_and_each_change_is_a_mail() -> None:
    """Removed, kept and removed again are three mails to each; told twice it is one; a link verified is no news."""
    assert [tuple(one) for one in notices(LINK)] == [("link_ending", "linked")]
    assert notices({**LINK, "state": "active", "before": "active"}) == []
    first, later = (mail_id("person:mia", {**LINK, "at": at}, "link_ending", "mia") for at in (1, 2))
    assert first != later
    assert first == mail_id("person:mia", {**LINK, "at": 1}, "link_ending", "mia")
