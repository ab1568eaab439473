"""A programme sent by FFmpeg's WHIP muxer: the demo's host, and an independent publisher for tests.

`run` holds the interpreter's lock while it connects, so it belongs into a process of its own: `Programme`
is one. FFmpeg answers no PLI, so its key frames come by the encoder's clock, one a second.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from typing import Any

import av
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
SOUND_HZ = 48_000
SOUND_SAMPLES = 960  # 20 ms
SILENCE = bytes(SOUND_SAMPLES * 4)

PictureSource = Callable[[float], Image.Image]
SoundSource = Callable[[int], bytes]


class Format(msgspec.Struct, frozen=True):
    """What the encoder is told."""

    width: int = 1280
    height: int = 720
    frames_per_s: int = 15
    bitrate: int = 1_200_000
    seconds_between_keys: float = 1.0


def silence(position: int) -> bytes:
    """A sound source without sound."""
    return SILENCE


def run(
    url: str,
    token: str,
    next_picture: PictureSource,
    next_sound: SoundSource = silence,
    *,
    form: Format | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Publishes until `stopped()`, in real time; returns the number of pictures sent.

    `next_picture(t)` gives the RGB picture for second `t`, `next_sound(position)` 20 ms of interleaved
    16-bit stereo from sample `position` on. av.FFmpegError when the server refuses or goes away.
    """
    certificate, key = _certificate()
    with _in_memory(certificate) as cert_file, _in_memory(key) as key_file:
        options = {"authorization": token, "cert_file": cert_file, "key_file": key_file}
        with av.open(url, "w", format="whip", options=options) as container:
            return _send(container, next_picture, next_sound, form or Format(), stopped)


class Programme:
    """`run` in a child process (spawned: `next_picture` and `next_sound` must be importable functions)."""

    def __init__(
        self,
        url: str,
        token: str,
        next_picture: PictureSource,
        next_sound: SoundSource = silence,
        *,
        form: Format | None = None,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._sent = context.Value("q", -1)
        arguments = (url, token, next_picture, next_sound, form, self._stop, self._sent)
        self._process = context.Process(target=_run_child, args=arguments, daemon=True)
        self._process.start()

    @property
    def running(self) -> bool:
        """Whether it is still sending."""
        return self._process.is_alive()

    @property
    def sent(self) -> int:
        """Pictures sent, once it has ended in good order; −1 before."""
        return int(self._sent.value)

    def stop(self, within_s: float = 5.0) -> None:
        """Ends it in good order (the session is deleted), or by force after `within_s`."""
        self._stop.set()
        self._process.join(within_s)
        self.kill()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


def _run_child(
    url: str,
    token: str,
    next_picture: PictureSource,
    next_sound: SoundSource,
    form: Format | None,
    stop: Event,
    sent: Any,
) -> None:
    if sys.platform == "linux":  # a killed host must not leave a sender behind that nobody can stop
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        sent.value = run(url, token, next_picture, next_sound, form=form, stopped=stop.is_set)
    except av.FFmpegError as error:
        sys.exit(f"The programme ended: {error}")


def _send(
    container: av.container.OutputContainer,
    next_picture: PictureSource,
    next_sound: SoundSource,
    form: Format,
    stopped: Callable[[], bool],
) -> int:
    video, audio = _streams(container, form)
    container.start_encoding()  # connects, which takes its time: the programme's clock starts behind it
    began_s = time.monotonic()
    number = sent = position = 0
    while not stopped():
        picture = _picture_frame(next_picture(number / form.frames_per_s))
        picture.pts = number
        container.mux(video.encode(picture))
        sent += 1
        while position * form.frames_per_s < (number + 1) * SOUND_HZ:
            container.mux(audio.encode(_sound_frame(next_sound(position), position)))
            position += SOUND_SAMPLES
        elapsed_s = time.monotonic() - began_s
        number = max(number + 1, int(elapsed_s * form.frames_per_s))  # a slow machine skips pictures, never time
        time.sleep(max(0.0, number / form.frames_per_s - elapsed_s))
    return sent


def _streams(
    container: av.container.OutputContainer, form: Format
) -> tuple[av.video.stream.VideoStream, av.audio.stream.AudioStream]:
    keys = str(max(1, round(form.frames_per_s * form.seconds_between_keys)))
    video = container.add_stream("libx264", rate=form.frames_per_s)
    video.options = {
        "preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "bf": "0", "g": keys,
        "keyint_min": keys, "sc_threshold": "0", "threads": "1", "maxrate": str(form.bitrate),
        "bufsize": str(form.bitrate // 2),
    }  # fmt: skip
    video.width, video.height, video.pix_fmt, video.bit_rate = (
        form.width,
        form.height,
        "yuv420p",
        form.bitrate,
    )
    audio = container.add_stream("libopus", rate=SOUND_HZ, options={"frame_duration": "20"})
    audio.layout = "stereo"
    audio.bit_rate = 64_000
    return video, audio


def _picture_frame(picture: Image.Image) -> av.VideoFrame:
    frame: av.VideoFrame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    return frame


def _sound_frame(samples: bytes, position: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="stereo", samples=SOUND_SAMPLES)
    frame.planes[0].update(samples)
    frame.sample_rate = SOUND_HZ
    frame.pts = position
    return frame


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """The path of a file that is in no folder: however the sender ends, it leaves no key behind."""
    number = os.memfd_create("livesale-programme")
    try:
        os.write(number, data)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def _certificate() -> tuple[bytes, bytes]:
    """A P-256 certificate for DTLS and its key (PEM): the one FFmpeg's GnuTLS makes by itself fails in the
    handshake with OpenSSL.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "livesale programme")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return certificate.public_bytes(pem), private
