"""The jitter buffer against reordering, repetition, loss and wrapping counters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.media.jitter import KEY_GIVE_UP_US, NACK_RETRY_US, VIDEO_GIVE_UP_US, Assembled, JitterBuffer

Sent = tuple[int, int, bool, bytes]  # sequence, time, marker, payload


def stream(frames: int, per_frame: int, first: int = 0, time: int = 0, key_every: int = 5) -> list[Sent]:
    """`frames` frames of `per_frame` packets; a key frame's first payload starts with K."""
    sent = []
    for frame in range(frames):
        for part in range(per_frame):
            letter = b"K" if frame % key_every == 0 and part == 0 else b"p"
            number = frame * per_frame + part
            stamp = (time + frame * 3000) & 0xFFFFFFFF
            sent.append(((first + number) & 0xFFFF, stamp, part == per_frame - 1, letter + b"%d" % number))
    return sent


def fed(buffer: JitterBuffer, packets: list[Sent], gap_us: int = 1_000) -> list[Assembled]:
    """What comes out when `packets` arrive one every `gap_us`, and when time has passed after the last."""
    out = []
    for step, (sequence, time, marker, payload) in enumerate(packets):
        out += buffer.put(sequence, time, marker, payload, step * gap_us)
    return out + buffer.poll(len(packets) * gap_us + VIDEO_GIVE_UP_US)


def video() -> JitterBuffer:
    return JitterBuffer(VIDEO_GIVE_UP_US, starts_key=lambda payload: payload.startswith(b"K"))


@given(
    order=st.permutations(range(24)),
    again=st.lists(st.integers(0, 23), max_size=8),
    first=st.sampled_from([0, 65_520, 65_535, 30_000]),
    time=st.sampled_from([0, 0xFFFFFFFF - 9_000]),
)
@settings(max_examples=150, deadline=None)
def test_any_order_and_any_repetition_gives_the_same_frames(
    order: list[int], again: list[int], first: int, time: int
) -> None:
    """All packets in whatever order and however often give every frame once, in order, without gap."""
    sent = stream(8, 3, first, time)
    shuffled = [sent[0], *(sent[index] for index in order if index), *(sent[index] for index in again)]

    frames = fed(video(), shuffled)

    assert [b"".join(frame.payloads) for frame in frames] == [
        b"".join(payload for *_, payload in sent[at : at + 3]) for at in range(0, 24, 3)
    ]
    assert not any(frame.gap for frame in frames)


@given(lost=st.sets(st.integers(1, 59), max_size=20), first=st.sampled_from([0, 65_500]))
@settings(max_examples=150, deadline=None)
def test_no_frame_ever_lacks_a_packet(lost: set[int], first: int) -> None:
    """Whatever is lost, a frame that comes out is whole, in order, and the one behind a hole says so."""
    sent = stream(20, 3, first)
    whole = {b"".join(payload for *_, payload in sent[at : at + 3]): at // 3 for at in range(0, 60, 3)}

    frames = fed(video(), [packet for index, packet in enumerate(sent) if index not in lost], 10_000)

    numbers = [whole[b"".join(frame.payloads)] for frame in frames]
    assert numbers == sorted(set(numbers))
    for before, after, frame in zip(numbers, numbers[1:], frames[1:], strict=False):
        assert frame.gap == (after != before + 1)


def test_a_missing_packet_is_asked_for_until_it_is_given_up() -> None:
    """A missing packet is asked for at once and every 40 ms after, and no longer once given up."""
    buffer = video()
    sent = stream(2, 3)
    buffer.put(*sent[0], 0)
    buffer.put(*sent[2], 1_000)

    assert buffer.nacks(1_000) == [1]
    assert buffer.nacks(2_000) == []
    assert buffer.nacks(1_000 + NACK_RETRY_US) == [1]
    assert buffer.wake_at_us() == 1_000 + 2 * NACK_RETRY_US

    buffer.poll(1_000 + VIDEO_GIVE_UP_US)
    assert buffer.nacks(10**9) == []
    assert buffer.wake_at_us() is None
    assert buffer.lost == 1


def test_a_waiting_key_frame_shortens_the_wait() -> None:
    """A complete key frame behind a hole is handed on after 40 ms: what lies before it is worth no more."""
    sent = stream(6, 3)
    buffer = video()
    out = []
    for step, packet in enumerate(packet for index, packet in enumerate(sent) if index != 7):
        out += buffer.put(*packet, step)
    assert [frame.payloads[0] for frame in out] == [b"K0", b"p3"]
    out += buffer.poll(len(sent) + KEY_GIVE_UP_US)

    assert [frame.payloads[0] for frame in out] == [b"K0", b"p3", b"K15"]
    assert [frame.gap for frame in out] == [False, False, True]


def test_sound_waits_60_ms_and_no_longer() -> None:
    """With a packet a frame, the line goes on behind a loss in time, and nothing else is dropped."""
    buffer = JitterBuffer(60_000, frame_per_packet=True)
    out = []
    for number in (0, 1, 3, 4, 5, 6):
        out += buffer.put(number, number * 960, False, b"s%d" % number, number * 20_000)

    assert [frame.payloads[0] for frame in out] == [b"s0", b"s1", b"s3", b"s4", b"s5", b"s6"]
    assert [frame.gap for frame in out] == [False, False, True, False, False, False]


def test_padding_that_probes_the_link_is_no_frame() -> None:
    """Packets without payload take their place in line and give nothing."""
    buffer = video()
    out = buffer.put(0, 0, True, b"K", 0) + buffer.put(1, 0, False, b"", 1) + buffer.put(2, 0, False, b"", 2)
    out += buffer.put(3, 3_000, True, b"p", 3)

    assert [frame.payloads for frame in out] == [(b"K",), (b"p",)]
    assert not out[1].gap


def test_a_sender_that_starts_again_is_followed() -> None:
    """Numbers from far behind, again and again, are a restarted sender: its frames come out, after a gap."""
    buffer = video()
    for packet in stream(2, 1, first=40_000):
        buffer.put(*packet, 0)
    out = []
    for packet in stream(60, 1, first=20_000):
        out += buffer.put(*packet, 1)

    assert out
    assert out[0].gap
    assert len(out) > 20
