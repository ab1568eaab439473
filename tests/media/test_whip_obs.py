"""OBS as publisher, through a whole session: its offer as it was recorded, and a client that does what OBS does.

Only what belongs to a connection is filled in: ICE words, fingerprint, ssrcs. Like OBS it sends no candidates and never
trickles, passes over Link, answers no request for a key frame, and ends with DELETE.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

import av

from livesale.media.frames import AUDIO, AUDIO_HZ, VIDEO, VIDEO_HZ
from livesale.media.network import Network
from tests.media.test_offer import OFFERS
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.pictures import moving_bar
from tests.support.publisher import PICTURE_S, SOUND_S, Publisher, Track

PICTURES, SOUNDS = 60, 80
PER_SECOND = round(1 / PICTURE_S)


def as_obs(offer: str) -> str:
    """OBS's offer with what is this connection's own."""
    made = OFFERS["obs"]
    for field in ("ice-ufrag", "ice-pwd", "fingerprint"):
        own = re.search(rf"a={field}:(.*)\r", offer)
        assert own is not None
        made = re.sub(rf"a={field}:.*\r", lambda _, own=own: own[0], made)
    for kind in ("audio", "video"):
        theirs, ours = (re.search(r"a=ssrc:(\d+)", sdp.split(f"m={kind}")[1]) for sdp in (made, offer))
        assert theirs is not None
        assert ours is not None
        made = made.replace(theirs[1], ours[1])
    return made


def pictures() -> Iterator[bytes | None]:
    """What x264 makes of PICTURES pictures as OBS sets it: no B-frames, a key frame each two seconds."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, VIDEO_HZ), Fraction(PER_SECOND)
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "bf": "0", "g": str(2 * PER_SECOND)}
    for number in range(PICTURES):
        frame = av.VideoFrame.from_image(moving_bar(number * PICTURE_S).resize((640, 360)))
        frame.pts = round(number * PICTURE_S * VIDEO_HZ)
        (packet,) = encoder.encode(frame)
        yield bytes(packet)
    while True:
        yield None


def sounds(on_air: Callable[[], object]) -> Iterator[bytes | None]:
    """SOUNDS packets of libopus, once there is a picture on air: what is heard before is not sent on."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_HZ, "stereo", "s16"
    encoder.open()
    while not on_air():
        yield None
    sent = position = 0
    while sent < SOUNDS:
        frame = av.AudioFrame(format="s16", layout="stereo", samples=encoder.frame_size)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = AUDIO_HZ, position
        position += encoder.frame_size
        for packet in encoder.encode(frame):
            sent += 1
            yield bytes(packet)
    while True:
        yield None


def decoded(server: MediaServer, track: int) -> int:
    """Frames FFmpeg makes of what came out."""
    data = server.inits(track)[0].data + b"".join(one.data for one in server.fragments(track))
    with av.open(io.BytesIO(data)) as file:
        return sum(1 for _ in file.decode(file.streams[0]))


async def test_obs_is_on_air_and_leaves() -> None:
    """Every picture and sound it sends decodes, in the size it has; its DELETE ends the broadcast and viewers are told."""
    network = Network(ports=(47_200, 47_260), ice_servers=("stun:stun.example.org:3478",))  # with ports it is not asked
    async with media_server(network=network) as server:
        server.open("s1")
        sound = Track("audio", sounds(lambda: server.fragments(VIDEO)), SOUND_S, AUDIO_HZ)
        tracks = sound, Track("video", pictures(), PICTURE_S, VIDEO_HZ)
        obs = Publisher(f"{server.url}/whip/s1", TOKEN, *tracks, offer=as_obs)
        try:
            await obs.start()
            assert obs.link.startswith("<stun:stun.example.org:3478>")
            await until(lambda: len(server.fragments(VIDEO)) >= PICTURES)
            await until(lambda: len(server.fragments(AUDIO)) >= SOUNDS)
            stats = server.broadcasts.stats("s1")
            assert stats is not None
            assert (stats.width, stats.height, stats.codec[:5], stats.packets_lost) == (640, 360, "avc1.", 0)
            await obs.stop()
        finally:
            await obs.leave()
        server.ring("s1").flush()
        assert (server.states, server.hosts) == ([("s1", "live"), ("s1", "ended")], ["away"])
        assert decoded(server, VIDEO) == len(server.fragments(VIDEO)) >= PICTURES
        assert decoded(server, AUDIO) == len(server.fragments(AUDIO)) >= SOUNDS
