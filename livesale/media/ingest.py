"""One publisher: a WHIP session from its offer to its end, and the numbers about it.

The stream goes EncodedReceiver → Segmenter → Ring; nothing is decoded. A publisher that says nothing for
LOST_AFTER_S is `lost`; how long a lost one is waited for is its show's business (broadcasts.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

import msgspec
from aiortc import RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.sdp import candidate_from_sdp

from livesale.kernel.refusals import Refusal
from livesale.media import offer as offers
from livesale.media import receiver as receivers
from livesale.media.frames import AUDIO, VIDEO, EncodedFrame
from livesale.media.ice import IceConnection
from livesale.media.network import Network
from livesale.media.ring import Init, Item, Ring
from livesale.media.segmenter import Segmenter
from livesale.media.trickle import IceFragment, read_fragment, write_fragment

KEY_EVERY_S = 2.0  # WebRTC sends no periodic key frames: ask, or the ring grows and late viewers freeze
TICK_S = 0.5
LOST_AFTER_S = 2.0
CONNECT_WITHIN_S = 20.0
SLOW_KEY_US = 3_000_000
WINDOW_US = 2_000_000

WAITING, LIVE, LOST, ENDED = "waiting", "live", "lost", "ended"

log = logging.getLogger(__name__)


class PublisherStats(msgspec.Struct, frozen=True):
    """How a publisher is doing. Rates over the last 2 s; `last_frame_ms_ago` −1 before the first picture;
    `hub_delay_ms` the longest in those 2 s from a picture's last packet to the hub, −1 without one (the way
    from host to studio is not in it: only the host knows its round trip); `key_interval_ms` the last distance
    between key frames; `warnings` in words for the studio page."""

    state: str
    bitrate_bps: int
    frames_per_s: float
    width: int
    height: int
    codec: str
    last_frame_ms_ago: int
    hub_delay_ms: int
    key_interval_ms: int
    packets_lost: int
    packets_expected: int
    sound: bool
    warnings: tuple[str, ...]


class Publisher:
    """One WHIP session.

    `on_state(state)` is told `live`, then `lost`, `live` again, `ended`; nothing before the first `live`.
    """

    def __init__(self, network: Network, on_state: Callable[[str], None]) -> None:
        self.state = WAITING
        self._network = network
        self._on_state = on_state
        self._peer: RTCPeerConnection | None = None
        self._answer = ""
        self._ufrag = ""
        self._ring: Ring | None = None
        self._segmenter: Segmenter | None = None
        self._receivers: dict[int, receivers.EncodedReceiver] = {}
        self._arrivals: deque[tuple[int, int]] = deque()  # (µs, bytes) of the last pictures and sounds
        self._pictures: deque[int] = deque()
        self._handed: deque[tuple[int, int]] = deque()  # (µs, µs its oldest picture had waited) of batches
        self._waiting_us = 0  # when the oldest picture came that the hub does not have yet
        self._last_picture_us = 0
        self._last_key_us = 0
        self._key_interval_us = 0
        self._started_us = _now_us()
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._unfollow: Callable[[], None] = lambda: None

    async def accept(self, offer_sdp: str, ring: Ring, epoch_ms: int, now_ms: int) -> str:
        """Takes the offer and returns the answer; from now on what arrives goes into `ring`.

        `epoch_ms` is the broadcast's start, `now_ms` the store's time now. Refusal `malformed` or
        `not_acceptable`.
        """
        offer = offers.read_offer(offer_sdp)
        offset_us = (now_ms - epoch_ms) * 1000 - _now_us()
        self._ring = ring
        self._segmenter = Segmenter(
            ring,
            offset_us,
            self.request_key_frame,
            sound=offer.has_audio,
            parameter_sets=offer.parameter_sets,
        )
        try:
            answer = await self._negotiate(offer)
        except BaseException:
            await self.close()
            raise
        self._answer, self._ufrag = answer, offers.ice_ufrag(offer.sdp)
        self._watch = asyncio.create_task(self._watch_over())
        ring.ask_for_key = self.request_key_frame
        self._unfollow = ring.subscribe(self._note_handed)
        return answer

    async def add_candidates(self, fragment: str) -> str | None:
        """Takes trickled candidates; with new ICE words it is a restart, and our side of it is returned.

        Refusal `gone` when there is no connection any more that could go on: a new POST makes one.
        """
        found = read_fragment(fragment)
        if self._peer is None or self.state == ENDED or self._peer.connectionState in ("failed", "closed"):
            raise Refusal("gone", "This session has ended; publish again with POST.")
        transport = self._peer.getReceivers()[0].transport.transport
        candidates = [candidate_from_sdp(value) for value in found.candidates]
        if found.ufrag and found.ufrag != self._ufrag:
            assert isinstance(transport._connection, IceConnection), "network.py sees to that"
            return await self._restart(transport._connection, found, candidates)
        for candidate in candidates:
            await transport.addRemoteCandidate(candidate)
        if found.ended:
            await transport.addRemoteCandidate(None)
        return None

    async def _restart(
        self, connection: IceConnection, found: IceFragment, candidates: list[RTCIceCandidate]
    ) -> str:
        if not found.password:
            raise Refusal("malformed", "An ICE restart needs ice-ufrag and ice-pwd.")
        connection.restart(found.ufrag, found.password)
        self._ufrag = found.ufrag
        await connection.add_restarted([candidate_to_aioice(candidate) for candidate in candidates])
        self.request_key_frame()
        return write_fragment(self._answer, connection.local_username, connection.local_password)

    def request_key_frame(self) -> None:
        """Asks the host for a key frame, at most every 0.3 s."""
        video = self._receivers.get(VIDEO)
        if video is not None:
            video.request_key_frame()

    def stats(self) -> PublisherStats:
        """The numbers as they are now."""
        now_us = _now_us()
        self._forget_before(now_us - WINDOW_US)
        picture = self._segmenter.picture if self._segmenter else None
        key_interval_us = max(self._key_interval_us, now_us - self._last_key_us if self._last_key_us else 0)
        return PublisherStats(
            state=self.state,
            bitrate_bps=sum(size for _, size in self._arrivals) * 8 * 1_000_000 // WINDOW_US,
            frames_per_s=round(len(self._pictures) * 1_000_000 / WINDOW_US, 1),
            width=picture.width if picture else 0,
            height=picture.height if picture else 0,
            codec=picture.codec if picture else "",
            last_frame_ms_ago=(now_us - self._last_picture_us) // 1000 if self._last_picture_us else -1,
            hub_delay_ms=max((delay for _, delay in self._handed), default=-1000) // 1000,
            key_interval_ms=key_interval_us // 1000,
            packets_lost=sum(receiver.lost for receiver in self._receivers.values()),
            packets_expected=sum(receiver.expected for receiver in self._receivers.values()),
            sound=AUDIO in self._receivers,
            warnings=self._warnings(key_interval_us),
        )

    async def close(self) -> None:
        """Ends the session; may be called again."""
        if self._watch is not None:
            self._watch.cancel()
        self.give_up()
        if self._closing is not None:
            await self._closing

    async def _negotiate(self, offer: offers.Offer) -> str:
        receivers.install()
        self._network.install()
        self._peer = peer = RTCPeerConnection(self._network.configuration())
        peer.on("connectionstatechange", self._on_connection_state)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            for receiver in peer.getReceivers():
                assert isinstance(receiver, receivers.EncodedReceiver)
                self._take_over(receiver)
            await peer.setLocalDescription(await peer.createAnswer())
        except Exception as error:  # whatever aiortc trips over is an offer it does not understand
            log.warning("an offer was refused by aiortc: %r", error)
            raise Refusal("malformed", f"The offer could not be understood ({type(error).__name__}).") from error
        return offers.finish_answer(peer.localDescription.sdp, offer, self._network.public_ip)

    def _take_over(self, receiver: receivers.EncodedReceiver) -> None:
        receiver.on_frame = self._on_frame
        assert self._segmenter is not None
        receiver.on_report = self._segmenter.sender_report
        self._receivers[receiver.track_number] = receiver

    def _on_frame(self, frame: EncodedFrame) -> None:
        if self.state == ENDED or self._segmenter is None:
            return
        now_us = _now_us()
        self._arrivals.append((now_us, sum(map(len, frame.units))))
        if frame.track == VIDEO:
            self._note_picture(frame, now_us)
            self._waiting_us = self._waiting_us or frame.arrived_us
        self._segmenter.frame(frame)
        if frame.track == VIDEO and self._segmenter.on_air:
            self._set_state(LIVE)
        elif frame.track == VIDEO:
            self._waiting_us = 0  # nothing of it goes on

    def _note_picture(self, frame: EncodedFrame, now_us: int) -> None:
        self._forget_before(now_us - WINDOW_US)
        self._pictures.append(now_us)
        self._last_picture_us = now_us
        if frame.key:
            if self._last_key_us:
                self._key_interval_us = now_us - self._last_key_us
            self._last_key_us = now_us

    def _note_handed(self, item: Item) -> None:
        """Whoever follows the ring has just been given what waited; the hub before us."""
        if self._waiting_us and not isinstance(item, Init):
            now_us = _now_us()
            self._handed.append((now_us, now_us - self._waiting_us))
            self._waiting_us = 0

    def _forget_before(self, us: int) -> None:
        while self._arrivals and self._arrivals[0][0] < us:
            self._arrivals.popleft()
        while self._pictures and self._pictures[0] < us:
            self._pictures.popleft()
        while self._handed and self._handed[0][0] < us:
            self._handed.popleft()

    def _warnings(self, key_interval_us: int) -> tuple[str, ...]:
        if self.state == LIVE and key_interval_us > SLOW_KEY_US:
            seconds = key_interval_us / 1_000_000
            return (
                f"Key frames are {seconds:.0f} s apart, so viewers wait that long to join: "
                "set the encoder's key-frame interval to 1–2 s.",
            )
        return ()

    def _on_connection_state(self) -> None:
        if self._peer is None or self._peer.connectionState not in ("failed", "closed"):
            return
        if self.state == WAITING:
            self.give_up()  # ICE or DTLS came to nothing: make room for the next try
        elif self.state == LIVE:
            self._set_state(LOST)

    async def _watch_over(self) -> None:
        """Asks for key frames regularly, and notices when the host is gone."""
        asked_us = 0
        while True:
            await asyncio.sleep(TICK_S)
            now_us = _now_us()
            if now_us - max(asked_us, self._last_key_us) >= KEY_EVERY_S * 1_000_000 - TICK_S * 500_000:
                asked_us = now_us
                self.request_key_frame()
            silent_s = (now_us - (self._last_picture_us or self._started_us)) / 1_000_000
            if self.state == LIVE and silent_s > LOST_AFTER_S:
                self._set_state(LOST)
            if not self._last_picture_us and silent_s > CONNECT_WITHIN_S:
                self.give_up()
                return

    def give_up(self) -> None:
        """Ends the session without waiting for its connection to close; may be called again."""
        self._unfollow()
        if self._peer is not None and self._closing is None:
            self._closing = asyncio.create_task(self._peer.close())
        self._set_state(ENDED)

    def _set_state(self, state: str) -> None:
        if state == self.state or self.state == ENDED:
            return
        before, self.state = self.state, state
        if before != WAITING or state == LIVE:
            self._on_state(state)


def _now_us() -> int:
    return time.monotonic_ns() // 1000
