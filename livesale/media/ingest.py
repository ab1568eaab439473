"""The way in by WebRTC: a WHIP session from its offer to its end. EncodedReceiver → Publisher."""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiortc import RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.sdp import candidate_from_sdp

from livesale.kernel.refusals import Refusal
from livesale.media import offer as offers
from livesale.media import receiver as receivers
from livesale.media.frames import VIDEO
from livesale.media.ice import IceConnection
from livesale.media.network import Network
from livesale.media.publisher import ENDED, LIVE, LOST, WAITING, Publisher
from livesale.media.ring import Ring
from livesale.media.segmenter import Segmenter
from livesale.media.trickle import IceFragment, read_fragment, write_fragment

log = logging.getLogger(__name__)


class PeerPublisher(Publisher):
    """One WHIP session."""

    def __init__(self, network: Network, on_state: Callable[[str], None]) -> None:
        super().__init__(on_state)
        self._network = network
        self._peer: RTCPeerConnection | None = None
        self._answer = ""
        self._ufrag = ""
        self._receivers: dict[int, receivers.EncodedReceiver] = {}

    async def accept(self, offer_sdp: str, ring: Ring, epoch_ms: int, now_ms: int) -> str:
        """Takes the offer and returns the answer; from now on what arrives goes into `ring`.

        `epoch_ms` is the broadcast's start, `now_ms` the store's time now. Refusal `malformed` or
        `not_acceptable`.
        """
        offer = offers.read_offer(offer_sdp)
        segmenter = self._cut_into(
            ring, epoch_ms, now_ms, sound=offer.has_audio, picture=offer.payload >= 0, sets=offer.parameter_sets
        )
        try:
            answer = await self._negotiate(offer, segmenter)
        except BaseException:
            await self.close()
            raise
        self._answer, self._ufrag = answer, offers.ice_ufrag(offer.sdp)
        self._begin(ring)
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

    async def _hang_up(self) -> None:
        if self._peer is not None:
            await self._peer.close()

    def _packets(self) -> tuple[int, int]:
        found = self._receivers.values()
        return sum(receiver.lost for receiver in found), sum(receiver.expected for receiver in found)

    async def _negotiate(self, offer: offers.Offer, segmenter: Segmenter) -> str:
        receivers.install()
        self._network.install()
        self._peer = peer = RTCPeerConnection(self._network.configuration())
        peer.on("connectionstatechange", self._on_connection_state)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            for receiver in peer.getReceivers():
                assert isinstance(receiver, receivers.EncodedReceiver)
                self._take_over(receiver, segmenter)
            await peer.setLocalDescription(await peer.createAnswer())
        except Exception as error:  # whatever aiortc trips over is an offer it does not understand
            log.warning("an offer was refused by aiortc: %r", error)
            raise Refusal("malformed", f"The offer could not be understood ({type(error).__name__}).") from error
        return offers.finish_answer(peer.localDescription.sdp, offer, self._network.public_ip)

    def _take_over(self, receiver: receivers.EncodedReceiver, segmenter: Segmenter) -> None:
        receiver.on_frame = self._on_frame
        receiver.on_report = segmenter.sender_report
        self._receivers[receiver.track_number] = receiver

    def _on_connection_state(self) -> None:
        if self._peer is None or self._peer.connectionState not in ("failed", "closed"):
            return
        if self.state == WAITING:
            self.give_up()  # ICE or DTLS came to nothing: make room for the next try
        elif self.state == LIVE:
            self._set_state(LOST)
