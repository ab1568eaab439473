"""How `bench media` counts fragments, and its word when there is no browser."""

from __future__ import annotations

import pytest

from livesale.bench.browsers import Missing, chromium
from livesale.bench.media import parts, spread
from livesale.hub.wire import media_frame
from livesale.media.ring import Fragment


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_frame_is_counted_by_its_fragments(count: int) -> None:
    """One frame may hold several fragments of different sizes."""
    fragments = [Fragment(1, False, 0, number, number, bytes(100 * number)) for number in range(count)]

    assert parts(media_frame(fragments)) == count


def test_a_machine_without_chromium_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """One line and exit 2, before anything is started."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Missing) as missing:
        chromium()

    assert missing.value.exit_code == 2
    assert "chromium is missing" in missing.value.message


def test_percentiles_are_of_what_was_seen() -> None:
    """p95 is not exceeded by 95 of 100 values."""
    assert spread([float(value) for value in range(100)]) == {"p50": 50, "p95": 95}
