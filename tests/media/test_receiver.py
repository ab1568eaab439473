"""The receiver and aiortc: its private names are where we build on them, and what becomes of packets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import RTCPeerConnection, rtcpeerconnection
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    unpack_remb_fci,
)

from livesale.media import receiver as receivers
from livesale.media.frames import EncodedFrame
from tests.media.test_h264 import CHROMIUM_540P
from tests.support.media import until

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90_000, payloadType=102)
RTX = RTCRtpCodecParameters(mimeType="video/rtx", clockRate=90_000, payloadType=103, parameters={"apt": 102})
AGGREGATE = b"\x78" + len(CHROMIUM_540P).to_bytes(2, "big") + CHROMIUM_540P + b"\x00\x04\x68\xce\x3c\x80"


class Transport:
    """A DTLS transport that keeps what is sent."""

    state = "connected"

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def _register_rtp_receiver(self, receiver: Any, parameters: Any) -> None: ...

    def _unregister_rtp_receiver(self, receiver: Any) -> None: ...

    async def _send_rtp(self, data: bytes) -> None:
        self.sent += RtcpPacket.parse(data)

    def of(self, kind: type) -> list[Any]:
        return [packet for packet in self.sent if isinstance(packet, kind)]


@pytest.fixture
async def received() -> Any:
    """A started video receiver, its transport and the frames it hands on."""
    transport = Transport()
    receiver = receivers.EncodedReceiver("video", transport)  # type: ignore[arg-type]
    frames: list[EncodedFrame] = []
    receiver.on_frame = frames.append
    receiver._set_rtcp_ssrc(7)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[H264, RTX]))
    yield receiver, transport, frames
    await receiver.stop()


async def send(receiver: receivers.EncodedReceiver, sequence: int, payload: bytes, **more: Any) -> None:
    """One packet of the stream, a frame of its own unless told otherwise."""
    fields = {"payload_type": 102, "marker": 1, "timestamp": sequence * 3_000, "ssrc": 55, **more}
    await receiver._handle_rtp_packet(
        RtpPacket(sequence_number=sequence & 0xFFFF, payload=payload, **fields), arrival_time_ms=0
    )


def test_the_private_names_of_aiortc_are_where_they_were() -> None:
    """livesale.media.receiver replaces a class of aiortc: a version that moved a name is noticed here."""
    missing = receivers.missing_names()
    assert not missing, (
        f"aiortc no longer has {', '.join(missing)}. livesale/media/receiver.py builds on these names: "
        "read aiortc's rtcrtpreceiver.py anew, adapt EncodedReceiver, then move the pin in pyproject.toml."
    )


async def test_a_peer_connection_uses_our_receiver() -> None:
    """After install() every connection receives encoded frames."""
    receivers.install()
    assert rtcpeerconnection.RTCRtpReceiver is receivers.EncodedReceiver  # type: ignore[attr-defined]
    peer = RTCPeerConnection()
    assert isinstance(peer.addTransceiver("video").receiver, receivers.EncodedReceiver)
    await peer.close()


async def test_a_moved_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract test can fail: a name taken away is named."""
    monkeypatch.delattr(receivers.RTCRtpReceiver, "_handle_disconnect")
    assert receivers.missing_names() == ["RTCRtpReceiver._handle_disconnect"]


async def test_frames_come_out_encoded(received: Any) -> None:
    """A key frame with its parameter sets, then a picture: NAL units as sent, nothing decoded."""
    receiver, _, frames = received
    await send(receiver, 65_535, AGGREGATE, marker=0)
    await send(receiver, 0, b"\x65abc", timestamp=65_535 * 3_000)
    await send(receiver, 1, b"\x61xy", timestamp=65_536 * 3_000)

    assert [(frame.key, len(frame.units), frame.gap) for frame in frames] == [
        (True, 3, False),
        (False, 1, False),
    ]
    assert frames[1].rtp_time - frames[0].rtp_time == 3_000


async def test_a_lost_packet_is_asked_for_and_its_retransmission_taken(received: Any) -> None:
    """A hole sends a NACK; the packet that comes back by RTX closes it without a gap."""
    receiver, transport, frames = received
    await send(receiver, 10, b"\x65key")
    await send(receiver, 12, b"\x61two")
    await until(lambda: transport.of(RtcpRtpfbPacket))
    assert transport.of(RtcpRtpfbPacket)[0].lost == [11]
    assert len(frames) == 1

    await send(receiver, 900, (11).to_bytes(2, "big") + b"\x61one", payload_type=103, ssrc=56, timestamp=33_000)

    assert [frame.units[0][1:] for frame in frames] == [b"key", b"one", b"two"]
    assert not any(frame.gap for frame in frames)


async def test_what_stays_lost_is_given_up_without_another_packet(received: Any) -> None:
    """When nothing more comes the hole is given up in time, and the frame behind it says so."""
    receiver, transport, frames = received
    await send(receiver, 10, b"\x65key")
    await send(receiver, 12, b"\x61two")
    await send(receiver, 13, b"\x61three")
    await until(lambda: len(frames) > 1)

    assert frames[1].gap
    assert receiver.lost == 1
    assert len(transport.of(RtcpRtpfbPacket)) >= 3


async def test_key_frames_are_asked_for_but_not_in_a_flood(received: Any) -> None:
    """Ten requests in a row are one PLI."""
    receiver, transport, _ = received
    await send(receiver, 1, b"\x65key")
    for _ in range(10):
        receiver.request_key_frame()
    await until(lambda: transport.of(RtcpPsfbPacket))
    await asyncio.sleep(0)
    assert [packet.media_ssrc for packet in transport.of(RtcpPsfbPacket)] == [55]


async def test_reports_go_out(received: Any) -> None:
    """The sender hears how its packets fare."""
    receiver, transport, _ = received
    await send(receiver, 1, b"\x65key")
    await send(receiver, 3, b"\x61x")
    await until(lambda: transport.of(RtcpRrPacket))
    report = transport.of(RtcpRrPacket)[0].reports[0]
    assert (report.ssrc, report.packets_lost, report.highest_sequence) == (55, 1, 3)


async def test_a_host_hears_what_its_line_holds(received: Any) -> None:
    """Packets that come later and later bring the told bitrate (REMB) below what comes in; calm ones bring no limit."""
    receiver, transport, _ = received

    async def sends(seconds: float, from_s: float, lag_a_s: float) -> list[int]:
        """100 packets of 1,250 bytes a second (1 Mbit/s), each as much later as the line lags; the bitrates told."""
        told = len(transport.of(RtcpPsfbPacket))
        for number in range(int(seconds * 100)):
            sent_s = from_s + number / 100
            packet = RtpPacket(
                payload_type=102, marker=1, sequence_number=int(sent_s * 100), timestamp=int(sent_s * 90_000), ssrc=55,
                payload=b"\x61" + bytes(1_237),
            )  # fmt: skip
            packet.extensions.abs_send_time = int(sent_s * (1 << 18)) & 0xFFFFFF
            arrived_ms = int((sent_s + number / 100 * lag_a_s) * 1000)
            await receiver._handle_rtp_packet(packet, arrival_time_ms=arrived_ms)
            await asyncio.sleep(0)
        sent = [one for one in transport.of(RtcpPsfbPacket)[told:] if one.fmt == RTCP_PSFB_APP]
        return [unpack_remb_fci(one.fci)[0] for one in sent]

    assert min(await sends(6, 0, 0)) > 2_500_000
    assert min(await sends(3, 6, 0.5)) < 900_000


@pytest.mark.parametrize("payload", [b"", b"\x7c", b"\x7c\x05", b"\x78\xff\xff", b"\x1f\x00\x00", b"\x00"])
async def test_a_malformed_packet_ends_nothing(received: Any, payload: bytes) -> None:
    """Rubbish is dropped, and the picture behind it is marked as behind a gap."""
    receiver, _, frames = received
    await send(receiver, 1, b"\x65key")
    await send(receiver, 2, payload)
    await send(receiver, 3, b"\x61x")
    assert len(frames) == 2
    assert frames[1].gap == bool(payload)


async def test_another_source_is_a_gap(received: Any) -> None:
    """A new SSRC (the host's browser restarted its encoder) is followed, behind a gap."""
    receiver, _, frames = received
    await send(receiver, 1, b"\x65key")
    await send(receiver, 40_000, b"\x65new", ssrc=99)
    assert [frame.gap for frame in frames] == [False, True]
