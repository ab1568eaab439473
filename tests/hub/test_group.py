"""What a joiner is given of the video."""

from __future__ import annotations

from livesale.hub.group import MAX_GROUP_BYTES, Group
from livesale.media.ring import Fragment, Init


def picture(at_us: int, key: bool = False, size: int = 10) -> Fragment:
    return Fragment(1, key, 0, at_us // 1000, at_us, bytes(size))


def sound(at_us: int) -> Fragment:
    return Fragment(2, True, 0, at_us // 1000, at_us, b"s")


def group() -> Group:
    made = Group()
    made.set_init(Init(1, 0, "v", b"v"))
    made.set_init(Init(2, 0, "a", b"a"))
    return made


def test_from_the_key_frame_with_its_sound() -> None:
    """It begins with the sound that still plays at the key frame, and holds all since."""
    it = group()
    it.add([sound(0), picture(0), sound(20_000), sound(40_000), sound(60_000)])
    assert it.fragments == []
    it.add([picture(50_000, key=True), sound(80_000), picture(83_000)])
    times = [(each.track, each.time_us) for each in it.fragments]
    assert times == [(2, 40_000), (2, 60_000), (1, 50_000), (2, 80_000), (1, 83_000)]
    assert (it.key_us, it.until_us) == (50_000, 83_000)


def test_new_init_ends_the_group() -> None:
    """Fragments from before a new video init are not given to joiners; there is no start until its key frame."""
    it = group()
    it.add([picture(0, key=True), picture(33_000)])
    it.set_init(Init(1, 1, "v2", b"v2"))
    assert it.key_us == -1
    it.add([picture(66_000)])
    assert it.fragments == []


def test_sound_only() -> None:
    """A show without pictures starts at any sound."""
    it = Group()
    it.set_init(Init(2, 0, "a", b"a"))
    it.add([sound(0), sound(20_000)])
    assert [each.time_us for each in it.fragments] == [20_000]


def test_bounded() -> None:
    """Without key frames the group is given up, not grown."""
    it = group()
    it.add([picture(0, key=True, size=MAX_GROUP_BYTES), picture(1_000)])
    assert (it.key_us, it.fragments) == (-1, [])
