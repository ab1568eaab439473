"""The host of `bench fanout`: a WHIP publisher whose pictures have exactly the size asked for and say when they were due.

Speaks lines of JSON: reads `{url, token, frame_bytes, frames_per_s}`, prints `{"connected": true}`, then obeys `begin`,
`pause` and the end of stdin. Between offer and answer it is any host: ICE, DTLS, SRTP, RTP in packets of 1,300 bytes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from fractions import Fraction
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from livesale.bench.pace import Pace, picture
from livesale.media.frames import VIDEO_HZ
from livesale.media.network import Network

KEY_EVERY_S = 1
CONNECT_WITHIN_S = 20.0
START = b"\0\0\1"
# x264's for 1280×720, baseline.
PARAMETER_SETS = START + bytes.fromhex("6742c01fda014016e840000003004000000a23c60ca8") + START + bytes.fromhex("68ce0fc8")


class Camera(MediaStreamTrack):
    """A track of encoded pictures while it is on, in real time; a key frame each second."""

    kind = "video"

    def __init__(self, frame_bytes: int, frames_per_s: int) -> None:
        super().__init__()
        self._bytes = frame_bytes
        self._per_s = frames_per_s
        self._pace = Pace(frames_per_s)
        self._sent = 0
        self._began_s = time.monotonic()
        self._on = asyncio.Event()

    def begin(self) -> None:
        """Goes on."""
        self._pace = Pace(self._per_s)
        self._on.set()

    def pause(self) -> None:
        """Sends nothing until it begins again."""
        self._on.clear()

    async def recv(self) -> av.Packet[Any]:
        """The next picture, when it is due."""
        await self._on.wait()
        await asyncio.sleep(max(0.0, self._pace.next_s - time.monotonic()))
        due_s = self._pace.take()
        key = self._sent % (KEY_EVERY_S * self._per_s) == 0
        self._sent += 1
        packet = av.Packet((PARAMETER_SETS if key else b"") + START + picture(self._bytes, key, due_s))
        packet.pts, packet.time_base = int((due_s - self._began_s) * VIDEO_HZ), Fraction(1, VIDEO_HZ)
        return packet


async def connect(peer: RTCPeerConnection, url: str, token: str) -> None:
    """Publishes at a WHIP address, and waits until the media may flow."""
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=peer.localDescription.sdp, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 201:
                raise SystemExit(f"the studio refused the host of the measurement: {text}")
    await peer.setRemoteDescription(RTCSessionDescription(text, "answer"))
    async with asyncio.timeout(CONNECT_WITHIN_S):
        while peer.connectionState != "connected":
            await asyncio.sleep(0.02)


async def publish(options: dict[str, Any]) -> None:
    """Runs until the end of stdin."""
    Network().install()
    camera = Camera(options["frame_bytes"], options["frames_per_s"])
    peer = RTCPeerConnection(Network().configuration())
    peer.addTransceiver(camera, direction="sendonly")
    try:
        await connect(peer, options["url"], options["token"])
        print(json.dumps({"connected": True}), flush=True)
        loop = asyncio.get_running_loop()
        while order := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            camera.begin() if json.loads(order) == "begin" else camera.pause()
    finally:
        await peer.close()


if __name__ == "__main__":
    asyncio.run(publish(json.loads(sys.stdin.readline())))
