"""The one file with aiortc's private names: a receiver of encoded frames that decodes nothing.

aiortc offers no public way to the encoded stream, so `install()` puts `EncodedReceiver` in the place where
RTCPeerConnection looks for its receiver class. `missing_names()` says what a new aiortc no longer has.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from aiortc import rtcpeerconnection, rtcrtpreceiver, rtp
from aiortc.codecs import is_rtx
from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics

from livesale.media import h264
from livesale.media.cap import LineCap
from livesale.media.frames import AUDIO, VIDEO, EncodedFrame, Unwrapper
from livesale.media.jitter import AUDIO_GIVE_UP_US, VIDEO_GIVE_UP_US, Assembled, JitterBuffer

KEY_REQUEST_APART_US = 300_000
NTP_OFFSET_S = 2_208_988_800  # 1900 to 1970

log = logging.getLogger(__name__)

FrameSink = Callable[[EncodedFrame], None]
ReportSink = Callable[[int, int, int], None]

_NAMES: tuple[tuple[Any, str, tuple[str, ...]], ...] = (
    (rtcpeerconnection, "aiortc.rtcpeerconnection", ("RTCRtpReceiver", "RTCPeerConnection")),
    (
        RTCRtpReceiver,
        "RTCRtpReceiver",
        (
            "receive", "stop", "setTransport", "_handle_disconnect", "_handle_rtcp_packet",
            "_handle_rtp_packet", "_set_rtcp_ssrc", "transport",
        ),
    ),
    (
        RTCDtlsTransport,
        "RTCDtlsTransport",
        ("_register_rtp_receiver", "_unregister_rtp_receiver", "_send_rtp"),
    ),
    (rtcrtpreceiver, "aiortc.rtcrtpreceiver", ("StreamStatistics", "RemoteStreamTrack")),
    (
        rtp,
        "aiortc.rtp",
        (
            "RTCP_PSFB_APP", "RTCP_PSFB_PLI", "RTCP_RTPFB_NACK", "RtcpByePacket", "RtcpPsfbPacket",
            "RtcpReceiverInfo", "RtcpRrPacket", "RtcpRtpfbPacket", "RtcpSrPacket", "RtpPacket",
            "pack_remb_fci", "unwrap_rtx",
        ),
    ),
)  # fmt: skip


def missing_names() -> list[str]:
    """Names this file builds on that the installed aiortc lacks: `RTCRtpReceiver._handle_rtp_packet`, …"""
    return [f"{where}.{name}" for owner, where, names in _NAMES for name in names if not hasattr(owner, name)]


def install() -> None:
    """Makes every RTCPeerConnection created from now on receive by `EncodedReceiver`. May be called again."""
    setattr(rtcpeerconnection, "RTCRtpReceiver", EncodedReceiver)  # noqa: B010


class _Burst(msgspec.Struct, gc=False):
    """A picture's packets as the estimate sees them: when the last was sent (24 bit) and came, and their bytes."""

    timestamp: int
    ssrc: int
    sent: int
    arrived_ms: int
    size: int


class EncodedReceiver(RTCRtpReceiver):
    """Receives one track. Set `on_frame` and `on_report` before media flows; both are called in the loop.

    `on_report(track, ntp_us, rtp_time)` tells a sender report, NTP in µs since 1970, time unwrapped as in
    frames.
    """

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self.on_frame: FrameSink = lambda frame: None
        self.on_report: ReportSink = lambda track, ntp_us, rtp_time: None
        self.bytes_received = 0
        self.bad_packets = 0
        self._audio = kind == "audio"
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._estimator = None if self._audio else RemoteBitrateEstimator()
        self._cap = LineCap()
        self._burst: _Burst | None = None
        self._streams: dict[int, StreamStatistics] = {}
        self._reports: dict[int, tuple[int, float]] = {}  # SSRC → (middle of its NTP time, when it came)
        self._own_ssrc: int | None = None
        self._ssrc: int | None = None  # of the stream being received
        self._jitter = self._new_jitter()
        self._unwrap = Unwrapper(32)
        self._broken = False
        self._key_asked_us = 0
        self._wake: asyncio.TimerHandle | None = None
        self._reporter: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def track_number(self) -> int:
        """AUDIO or VIDEO."""
        return AUDIO if self._audio else VIDEO

    @property
    def lost(self) -> int:
        """Packets given up on, and so missing in what was handed on."""
        return self._jitter.lost

    @property
    def expected(self) -> int:
        """Packets the sender has sent, by its sequence numbers."""
        stream = self._streams.get(self._ssrc) if self._ssrc is not None else None
        return stream.packets_expected if stream else 0

    def request_key_frame(self) -> None:
        """Asks the sender for a key frame (PLI), at most every 0.3 s."""
        now_us = _now_us()
        if self._audio or self._ssrc is None or now_us - self._key_asked_us < KEY_REQUEST_APART_US:
            return
        self._key_asked_us = now_us
        self._feedback(rtp.RtcpPsfbPacket, rtp.RTCP_PSFB_PLI)

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Starts receiving (called by RTCPeerConnection once the transport is up)."""
        if self._reporter is not None:
            return
        self._codecs = {codec.payloadType: codec for codec in parameters.codecs if codec.payloadType is not None}
        self.transport._register_rtp_receiver(self, parameters)
        self._reporter = asyncio.create_task(self._report_regularly())

    async def stop(self) -> None:
        """Stops for good."""
        if self._reporter is None:
            return
        self.transport._unregister_rtp_receiver(self)
        self._reporter.cancel()
        if self._wake is not None:
            self._wake.cancel()

    def _handle_disconnect(self) -> None:
        if self._wake is not None:
            self._wake.cancel()

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._own_ssrc = ssrc

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if not isinstance(packet, rtp.RtcpSrPacket):
            return
        ntp = packet.sender_info.ntp_timestamp
        self._reports[packet.ssrc] = ((ntp >> 16) & 0xFFFFFFFF, time.monotonic())
        if packet.ssrc == self._ssrc:
            ntp_us = ((ntp >> 32) - NTP_OFFSET_S) * 1_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000 >> 32)
            self.on_report(self.track_number, ntp_us, self._unwrap.peek(packet.sender_info.rtp_timestamp))

    async def _handle_rtp_packet(self, packet: rtp.RtpPacket, arrival_time_ms: int) -> None:
        try:
            self._estimate(packet, arrival_time_ms)
            self._take(packet)
        except Exception:  # raised further, it would end the transport's receive loop and so the whole session
            self.bad_packets += 1
            log.exception("an RTP packet could not be taken")

    def _new_jitter(self) -> JitterBuffer:
        if self._audio:
            return JitterBuffer(AUDIO_GIVE_UP_US, frame_per_packet=True)
        return JitterBuffer(VIDEO_GIVE_UP_US, starts_key=h264.starts_key_frame)

    def _take(self, packet: rtp.RtpPacket) -> None:
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        self.bytes_received += len(packet.payload) + 12
        statistics = self._streams.setdefault(packet.ssrc, StreamStatistics(codec.clockRate))
        statistics.add(packet)
        if is_rtx(codec):
            restored = self._restore(packet, codec)
            if restored is None:
                return
            packet = restored
        elif packet.ssrc != self._ssrc:
            self._start_stream(packet.ssrc)
        now_us = _now_us()
        frames = self._jitter.put(packet.sequence_number, packet.timestamp, bool(packet.marker), packet.payload, now_us)
        self._hand_on(frames, now_us)

    def _restore(self, packet: rtp.RtpPacket, codec: RTCRtpCodecParameters) -> rtp.RtpPacket | None:
        """The packet a retransmission carries; None for mere probing."""
        original = codec.parameters.get("apt")
        if self._ssrc is None or len(packet.payload) < 2 or original not in self._codecs:
            return None
        return rtp.unwrap_rtx(packet, payload_type=int(original), ssrc=self._ssrc)

    def _start_stream(self, ssrc: int) -> None:
        if self._ssrc is not None:
            self._broken = True
        self._ssrc = ssrc
        self._jitter = self._new_jitter()
        self._unwrap = Unwrapper(32)

    def _hand_on(self, frames: list[Assembled], now_us: int) -> None:
        for assembled in frames:
            frame = self._frame(assembled)
            if frame is not None:
                self.on_frame(frame)
        lost = self._jitter.nacks(now_us)
        if lost and not self._audio:
            self._feedback(rtp.RtcpRtpfbPacket, rtp.RTCP_RTPFB_NACK, lost)
        self._schedule_wake()

    def _frame(self, assembled: Assembled) -> EncodedFrame | None:
        rtp_time = self._unwrap(assembled.rtp_time)
        gap = assembled.gap or self._broken
        if self._audio:
            self._broken = False
            return EncodedFrame(AUDIO, rtp_time, True, (assembled.payloads[0],), assembled.arrived_us, gap)
        try:
            nals = h264.depacketize(assembled.payloads)
        except ValueError:
            self.bad_packets += 1
            self._broken = True
            return None
        self._broken = False
        key = any(h264.nal_type(nal) == h264.IDR for nal in nals)
        return EncodedFrame(VIDEO, rtp_time, key, nals, assembled.arrived_us, gap)

    def _schedule_wake(self) -> None:
        wake_at_us = self._jitter.wake_at_us()
        if wake_at_us is None or (self._wake is not None and not self._wake.cancelled()):
            return
        delay_s = max(0.005, (wake_at_us - _now_us()) / 1_000_000)
        self._wake = asyncio.get_running_loop().call_later(delay_s, self._on_wake)

    def _on_wake(self) -> None:
        self._wake = None
        now_us = _now_us()
        self._hand_on(self._jitter.poll(now_us), now_us)

    def _estimate(self, packet: rtp.RtpPacket, arrival_time_ms: int) -> None:
        """Feeds the bandwidth estimate (by send times) and tells the sender when it changes.

        A picture's packets are one entry: asked of each packet, the estimate was a quarter of what a packet cost.
        """
        sent = packet.extensions.abs_send_time
        if self._estimator is None or sent is None or self._own_ssrc is None:
            return
        size = len(packet.payload) + packet.padding_size
        before = self._burst
        if before is not None and before.timestamp == packet.timestamp:
            before.size += size
            before.sent, before.arrived_ms = sent, arrival_time_ms
            return
        self._burst = _Burst(packet.timestamp, packet.ssrc, sent, arrival_time_ms, size)
        if before is not None:
            self._tell(self._estimator, self._own_ssrc, before)

    def _tell(self, estimator: RemoteBitrateEstimator, own_ssrc: int, burst: _Burst) -> None:
        remb = estimator.add(
            abs_send_time=burst.sent, arrival_time_ms=burst.arrived_ms, payload_size=burst.size, ssrc=burst.ssrc
        )
        if remb is not None:
            estimate_bps, ssrcs = remb
            stream = self._streams.get(burst.ssrc)
            lossy = stream is not None and self._cap.lossy(stream.packets_expected, stream.packets_received)
            jammed = lossy or estimator.detector.state() == BandwidthUsage.OVERUSING
            fci = rtp.pack_remb_fci(self._cap.told(estimate_bps, jammed, burst.arrived_ms), ssrcs)
            packet = rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_APP, ssrc=own_ssrc, media_ssrc=0, fci=fci)
            self._send_soon(self._send(bytes(packet)))

    def _feedback(self, kind: Any, fmt: int, lost: list[int] | None = None) -> None:
        if self._own_ssrc is None or self._ssrc is None:
            return
        packet = kind(fmt=fmt, ssrc=self._own_ssrc, media_ssrc=self._ssrc)
        if lost is not None:
            packet.lost = lost
        self._send_soon(self._send(bytes(packet)))

    def _send_soon(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, data: bytes) -> None:
        try:
            await self.transport._send_rtp(data)
        except ConnectionError:
            pass  # the connection is closing: nobody is left to tell

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(0.5 + random.random())  # RFC 3550, 6.2: spread, so that reports do not align
            reports = [self._receiver_report(ssrc, stream) for ssrc, stream in self._streams.items()]
            if self._own_ssrc is not None and reports:
                await self._send(bytes(rtp.RtcpRrPacket(ssrc=self._own_ssrc, reports=reports[:31])))

    def _receiver_report(self, ssrc: int, stream: StreamStatistics) -> rtp.RtcpReceiverInfo:
        middle, came_s = self._reports.get(ssrc, (0, 0.0))
        delay = int((time.monotonic() - came_s) * 65_536) if middle else 0
        return rtp.RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=stream.fraction_lost,
            packets_lost=stream.packets_lost,
            highest_sequence=stream.max_seq or 0,
            jitter=stream.jitter,
            lsr=middle,
            dlsr=min(delay, 0xFFFFFFFF),
        )


def _now_us() -> int:
    return time.monotonic_ns() // 1000
