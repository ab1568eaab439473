"""A WHIP publisher without a browser or an encoder: pictures and sound as bytes, by aiortc, whose offer a test may alter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from livesale.media.frames import AUDIO_HZ, VIDEO_HZ
from livesale.media.network import Network
from livesale.media.opus import SILENCE

Alter = Callable[[str], str]

START = b"\0\0\0\1"
SPS_720P = bytes.fromhex("6742c01fda014016e840000003004000000a23c60ca8")  # x264's
PPS = bytes.fromhex("68ce0fc8")
PICTURE_S, SOUND_S = 1 / 25, 0.02
KEYS = 10
CONNECT_WITHIN_S = 20.0


class Track(MediaStreamTrack):
    """What `packets` gives (None: nothing at this moment), one each `step_s`, in real time."""

    def __init__(self, kind: str, packets: Iterator[bytes | None], step_s: float, hz: int) -> None:
        super().__init__()
        self.kind = kind
        self._packets = packets
        self._step_s = step_s
        self._hz = hz
        self._began_s = time.monotonic()
        self._number = 0

    async def recv(self) -> av.Packet[Any]:
        """The next one, when it is due."""
        while True:
            self._number += 1
            at_s = self._number * self._step_s
            await asyncio.sleep(max(0.0, self._began_s + at_s - time.monotonic()))
            data = next(self._packets)
            if data is not None:
                packet = av.Packet(data)
                packet.pts, packet.time_base = round(at_s * self._hz), Fraction(1, self._hz)
                return packet


class Camera:
    """Pictures of any bytes behind real parameter sets, every tenth a key frame; `sps` may change, `on` be taken away."""

    def __init__(self, sps: bytes = SPS_720P, picture_bytes: int = 800) -> None:
        self.sps = sps
        self._picture_bytes = picture_bytes
        self.on = True
        self.keys = 0

    def track(self) -> Track:
        """It, as a track."""
        return Track("video", self._pictures(), PICTURE_S, VIDEO_HZ)

    def _pictures(self) -> Iterator[bytes | None]:
        sps, since = b"", 0
        while True:
            if not self.on:
                yield None
                continue
            key = self.sps != sps or since >= KEYS
            sps, since = self.sps, 0 if key else since + 1
            self.keys += key
            yield (START + sps + START + PPS + START + b"\x65" if key else START + b"\x61") + b"\xa5" * self._picture_bytes


class Microphone:
    """Packets of silence, unless it is muted: then none."""

    def __init__(self) -> None:
        self.on = True

    def track(self) -> Track:
        """It, as a track."""
        return Track("audio", self._packets(), SOUND_S, AUDIO_HZ)

    def _packets(self) -> Iterator[bytes | None]:
        while True:
            yield SILENCE if self.on else None


class Publisher:
    """One WHIP session; `offer` and `answer` alter the descriptions on their way. `link`: of the server's answer."""

    def __init__(self, url: str, token: str, *tracks: MediaStreamTrack, offer: Alter = str, answer: Alter = str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self._tracks = tracks
        self._offer, self._answer = offer, answer
        self.location = ""
        self.link = ""

    async def start(self) -> Publisher:
        """POST, and connected."""
        Network().install()
        self.peer = RTCPeerConnection(Network().configuration())
        for track in self._tracks:
            self.peer.addTransceiver(track, direction="sendonly")
        await self.peer.setLocalDescription(await self.peer.createOffer())
        offer = self._offer(self.peer.localDescription.sdp)
        async with aiohttp.ClientSession() as session:
            async with session.post(self._url, data=offer, headers=self._headers) as posted:
                text = await posted.text()
                assert posted.status == 201, text
                self.location = urljoin(self._url, posted.headers["Location"])
                self.link = posted.headers.get("Link", "")
        await self.peer.setRemoteDescription(RTCSessionDescription(self._answer(text), "answer"))
        async with asyncio.timeout(CONNECT_WITHIN_S):
            while self.peer.connectionState != "connected":
                await asyncio.sleep(0.02)
        return self

    async def stop(self) -> None:
        """DELETE, and gone."""
        async with aiohttp.ClientSession() as session:
            async with session.delete(self.location, headers=self._headers) as deleted:
                assert deleted.status == 200, await deleted.text()
        await self.leave()

    async def leave(self) -> None:
        """Gone without a word to the server's HTTP side."""
        await self.peer.close()
