"""Offers: what real publishers send is taken, what cannot work is refused, and nothing ever raises."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesale.kernel.refusals import Refusal
from livesale.media.ingest import PeerPublisher
from livesale.media.network import Network
from livesale.media.offer import MAX_OFFER_BYTES, finish_answer, ice_ufrag, read_offer
from livesale.media.ring import Ring

OFFERS = {
    path.stem: path.read_text().replace("\n", "\r\n") for path in (Path(__file__).parent / "offers").glob("*.sdp")
}


async def answered(offer: str, network: Network | None = None) -> str:
    """The answer a publisher gets."""
    publisher = PeerPublisher(network or Network(), lambda state: None)
    now_ms = time.time_ns() // 1_000_000
    try:
        return await publisher.accept(offer, Ring(), now_ms, now_ms)
    finally:
        await publisher.close()


@pytest.mark.parametrize(
    ("name", "payload", "profile"),
    [("chromium", 102, "42001f"), ("ffmpeg", 106, "42001f"), ("obs", 96, "42e01f")],
)
async def test_real_publishers_get_an_answer(name: str, payload: int, profile: str) -> None:
    """Chromium's, FFmpeg's and OBS's offers are answered with one H.264, Opus and a first bitrate."""
    offer = read_offer(OFFERS[name])
    assert (offer.payload, offer.profile, offer.has_audio) == (payload, profile, True)

    answer = await answered(OFFERS[name])

    assert [line for line in answer.split("\r\n") if "rtpmap" in line and "rtx" not in line] == [
        "a=rtpmap:111 opus/48000/2",
        f"a=rtpmap:{payload} H264/90000",
    ]
    assert f"profile-level-id={profile};x-google-start-bitrate=1500" in answer
    assert answer.count("a=recvonly") == 2
    assert "127.0.0.1" in answer


def without(lines: str, offer: str = "chromium") -> str:
    return "\r\n".join(line for line in OFFERS[offer].split("\r\n") if lines not in line)


def section(kind: str) -> str:
    """Chromium's offer with the section of one kind only."""
    head, audio, video = OFFERS["chromium"].split("m=")
    return head.replace("BUNDLE 0 1", "BUNDLE 0") + "m=" + {"audio": audio, "video": video}[kind]


@pytest.mark.parametrize(
    ("offer", "code", "words"),
    [
        (OFFERS["chromium"].replace("H264", "VP8"), "not_acceptable", "no H.264 video"),
        (
            OFFERS["chromium"].replace("packetization-mode=1", "packetization-mode=0"),
            "not_acceptable",
            "mode 1",
        ),
        (OFFERS["chromium"].replace("opus/48000", "speex/48000"), "not_acceptable", "no Opus"),
        (
            OFFERS["chromium"] + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
            "not_acceptable",
            "application",
        ),
        (OFFERS["obs"] + "m=video" + OFFERS["obs"].split("m=video")[1], "not_acceptable", "2 video sections"),
        (OFFERS["chromium"].replace("a=sendonly", "a=recvonly"), "not_acceptable", "sendonly"),
        (without("rtcp-mux"), "not_acceptable", "rtcp-mux"),
        (OFFERS["obs"].replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "not_acceptable", "encrypted"),
        (without("ice-pwd"), "malformed", "ice-pwd"),
        (without("fingerprint"), "malformed", "fingerprint"),
        (without("a=setup"), "malformed", "setup"),
        (without("a=mid"), "malformed", "mid"),
        ("", "malformed", "v=0"),
        ("v=0\r\n", "malformed", "no media"),
        ("v=0\r\nm=video nine RTP/SAVPF 96\r\n", "malformed", "not understood"),
        (OFFERS["chromium"].replace("v=0", "v=0\r\na=\x00"), "malformed", "control"),
        ("v=0\r\n" + "a=x\r\n" * MAX_OFFER_BYTES, "too_large", "bytes"),
    ],
)
def test_refusals_say_what_to_change(offer: str, code: str, words: str) -> None:
    """An offer that cannot work is refused with a code for programs and a sentence for people."""
    with pytest.raises(Refusal) as refused:
        read_offer(offer)
    assert refused.value.code == code
    assert words in refused.value.detail


async def test_a_show_may_go_without_sound() -> None:
    """An offer with video alone is taken."""
    assert not read_offer(section("video")).has_audio
    assert "a=recvonly" in await answered(section("video"))


async def test_a_host_may_send_sound_alone() -> None:
    """An offer with audio alone is taken (a still picture goes with it), one with video that is no H.264 is not."""
    offer = read_offer(section("audio"))
    assert (offer.payload, offer.profile, offer.has_audio) == (-1, "", True)
    answer = await answered(section("audio"))
    assert "m=video" not in answer
    assert "a=recvonly" in answer


async def test_a_main_profile_is_answered_with_itself() -> None:
    """What the publisher will send is named in the answer, although aiortc itself knows baseline only."""
    offer = (
        OFFERS["obs"].replace("42e01f", "4d0028").replace("fmtp:96 ", "fmtp:96 sprop-parameter-sets=Z0LAIA==,aM48gA==;")
    )
    assert read_offer(offer).parameter_sets == (bytes.fromhex("6742c020"), bytes.fromhex("68ce3c80"))
    assert "profile-level-id=4d0028" in await answered(offer)


async def test_the_public_address_is_offered_too() -> None:
    """Behind a one-to-one NAT the answer has the public address with the same port."""
    answer = await answered(OFFERS["obs"], Network(public_ip="203.0.113.7"))
    lines = [line for line in answer.split("\r\n") if "203.0.113.7" in line]
    assert lines
    assert all(" typ srflx raddr " in line for line in lines)


async def test_ports_stay_in_their_range() -> None:
    """With a port range set every candidate's port is in it."""
    answer = await answered(OFFERS["obs"], Network(ports=(47_100, 47_140)))
    ports = [int(line.split(" ")[5]) for line in answer.split("\r\n") if line.startswith("a=candidate")]
    assert ports
    assert all(47_100 <= port <= 47_140 for port in ports)


async def test_loopback_can_be_left_out() -> None:
    """A server on the net does not offer 127.0.0.1."""
    answer = await answered(OFFERS["obs"], Network(loopback=False))
    assert "a=candidate" in answer
    assert " 127.0.0.1 " not in answer


def test_an_answer_without_our_address_is_left_as_it_is() -> None:
    """Without a public address only the fmtp line changes."""
    offer = read_offer(OFFERS["obs"])
    assert finish_answer("a=x\r\na=candidate:1 1 udp 5 10.0.0.1 4 typ host\r\n", offer).count("candidate") == 1
    assert ice_ufrag(offer.sdp) == "lS4V"


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A real offer with lines lost, doubled, moved, cut or altered."""
    lines = draw(st.sampled_from(sorted(OFFERS.values()))).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "move", "cut", "letter", "number", "word"])):
            case "lose":
                lines[at : at + draw(st.integers(1, 4))] = [""]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "letter":
                place = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:place] + draw(st.characters(codec="utf-8")) + lines[at][place + 1 :]
            case "number":
                lines[at] = lines[at].replace(
                    draw(st.sampled_from("0123456789")), draw(st.sampled_from(["", "-1", "99999999999"]))
                )
            case "word":
                words = lines[at].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(st.text(max_size=6))
                lines[at] = " ".join(words)
        lines = lines or [""]
    return "\r\n".join(lines)


@given(damaged())
@settings(max_examples=400, deadline=None)
def test_a_damaged_offer_is_read_or_refused(offer: str) -> None:
    """Whatever is wrong with an offer, the parser takes it or refuses it."""
    try:
        code = "" if read_offer(offer).sdp else "empty"
    except Refusal as refusal:
        code = refusal.code
    assert code in ("", "malformed", "not_acceptable")


@given(damaged())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_offer_never_breaks_the_server(offer: str) -> None:
    """Through aiortc too: an answer or a refusal, and nothing left behind that fails later."""

    async def attempt() -> list[str]:
        failures: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(repr(context)))
        try:
            await answered(offer, Network())
        except Refusal:
            pass
        await asyncio.sleep(0)
        return failures

    assert asyncio.run(attempt()) == []


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    """Text that is no SDP is refused."""
    with pytest.raises(Refusal):
        read_offer(text)
