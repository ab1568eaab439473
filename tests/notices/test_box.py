"""The folder of dev mails: bounded, newest first, the same for every process."""

from __future__ import annotations

from pathlib import Path

import pytest

from livesale.notices import box
from livesale.notices.box import Box, name_of


def mail(number: int, to: str = "ann@example.org") -> bytes:
    return (
        f"To: {to}\r\nSubject: Mail {number}\r\nMessage-ID: <{number}@x>\r\nContent-Type: text/plain\r\n\r\n"
        f"See https://live.example/orders/o_{number}\r\nand http://a.example/b, done\r\n"
    ).encode()


def fill(folder: Box, *numbers: int, to: str = "ann@example.org") -> None:
    for number in numbers:
        folder.put(name_of(number, f"{number:032x}"), mail(number, to))


def test_only_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest go, whatever the order of writing."""
    monkeypatch.setattr(box, "MOST_KEPT", 3)
    folder = Box(tmp_path / "mail")
    assert folder.newest(10) == []
    fill(folder, 5, 1, 9, 7, 3)
    assert [kept.at_ms for kept in folder.newest(10)] == [9, 7, 5]
    assert len(list((tmp_path / "mail").iterdir())) == 3


def test_a_mail_sent_again_is_one(tmp_path: Path) -> None:
    """The same mail takes its own place."""
    folder = Box(tmp_path)
    fill(folder, 1, 1, 1)
    assert len(folder.newest(10)) == 1


def test_pages_and_readers(tmp_path: Path) -> None:
    """By address whatever its case, a page at a time, each page after the one before."""
    folder = Box(tmp_path)
    fill(folder, 1, 2, 4)
    fill(folder, 3, to="bob@example.org")
    first = folder.newest(2, "Ann@Example.org")
    assert [kept.at_ms for kept in first] == [4, 2]
    assert [kept.at_ms for kept in folder.newest(2, "ann@example.org", first[-1].name)] == [1]
    assert [kept.at_ms for kept in folder.newest(9)] == [4, 3, 2, 1]


def test_links_are_those_of_the_text(tmp_path: Path) -> None:
    """In order, without what follows them."""
    folder = Box(tmp_path)
    fill(folder, 1)
    [kept] = folder.newest(1)
    assert kept.links() == ["https://live.example/orders/o_1", "http://a.example/b"]
    assert kept.part("html") == ""


@pytest.mark.parametrize("name", ["", "..", "../secret", "0000000000001-", "x" * 300, f"{1:013d}-{'0' * 32}"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    """Only names of mails are read; one that is gone is not there."""
    (tmp_path / "secret.eml").write_text("secret")
    assert Box(tmp_path / "mail").get(name) is None
