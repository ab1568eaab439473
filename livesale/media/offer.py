"""A publisher's SDP offer: what of it we take, what we refuse and in which words, and what the answer adds.

Pure text in, text out (RFC 8866, RFC 9725 section 4.4). aiortc gets an offer with exactly the payload types
we chose.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

import msgspec

from livesale.kernel.refusals import Refusal

MAX_OFFER_BYTES = 64 << 10
MAX_CANDIDATES = 32  # each makes us send checks to an address someone else chose
START_KBPS = 1_500
MIN_KBPS = 300
NEUTRAL_PROFILE = "42e01f"  # the one profile both aiortc and every offer of ours agree on

_MEDIA_LINE = re.compile(r"m=(\w+) (\d{1,5}) ([A-Z/]+)((?: \d{1,3})+)\Z")
_PROFILE = re.compile(r"[0-9a-fA-F]{6}\Z")
_ICE_WORD = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_FINGERPRINT = re.compile(r"(sha-(?:256|384|512)) ((?:[0-9A-F]{2}:){31,63}[0-9A-F]{2})\Z", re.IGNORECASE)
_CANDIDATE = re.compile(r"\S{1,64} 1 (\w{1,8}) \d{1,10} (\S{1,64}) (\d{1,5}) typ (\w{1,8})( .*)?\Z")
_RTPMAP = re.compile(r"(\d{1,3}) ([\w.-]+)/(\d{1,6})(?:/\d+)?\Z")
_PER_PAYLOAD = ("rtpmap:", "fmtp:", "rtcp-fb:")


class Offer(msgspec.Struct, frozen=True):
    """An offer made ready: `sdp` for aiortc; `payload` and `profile` of the H.264 chosen, −1 and "" without video;
    `has_audio`; `parameter_sets` from sprop-parameter-sets."""

    sdp: str
    payload: int
    profile: str
    has_audio: bool
    parameter_sets: tuple[bytes, ...]


class _Media(msgspec.Struct):
    kind: str
    protocol: str
    payloads: list[int]
    lines: list[str]

    def values(self, name: str) -> list[str]:
        return [line[len(name) + 3 :] for line in self.lines if line.startswith(f"a={name}:")]

    def has(self, name: str) -> bool:
        return f"a={name}" in self.lines


def read_offer(text: str) -> Offer:
    """Chooses H.264 and Opus from an offer; Refusal `malformed` or `not_acceptable`, in a host's words."""
    session, media = _sections(text)
    video, audio = _only(media, "video"), _only(media, "audio")
    if len(media) > (video is not None) + (audio is not None):
        raise Refusal("not_acceptable", "The offer has more than one video and one audio section.")
    payload = -1 if video is None else _choose_h264(video)
    keep = {} if video is None else {id(video): [payload, *_rtx_of(video, payload)]}
    if audio is not None:
        keep[id(audio)] = [_choose_opus(audio)]
    for section in media:
        _check_transport(section, session)
    parts = [_rewritten(section, keep[id(section)], payload) for section in media]
    parameters = {} if video is None else _fmtp(video, payload)
    profile = parameters.get("profile-level-id", NEUTRAL_PROFILE) if video is not None else ""
    sets = _parameter_sets(parameters.get("sprop-parameter-sets", ""))
    lines = [*session, *(line for part in parts for line in part)]
    return Offer("\r\n".join(lines) + "\r\n", payload, profile, audio is not None, sets)


def finish_answer(answer: str, offer: Offer, public_ip: str = "") -> str:
    """The answer with the profile that was offered, a bitrate to start with, and our public address.

    Without the x-google parameters Chromium's encoder crawls at 1–3 pictures a second for 15 s.
    """
    fmtp = (
        f"a=fmtp:{offer.payload} level-asymmetry-allowed=1;packetization-mode=1;"
        f"profile-level-id={offer.profile};x-google-start-bitrate={START_KBPS};x-google-min-bitrate={MIN_KBPS}"
    )
    out = []
    for line in answer.split("\r\n"):
        if line.startswith(f"a=fmtp:{offer.payload} "):
            line = fmtp
        out.append(line)
        if public_ip and line.startswith("a=candidate:"):
            out += _public_candidate(line, public_ip)
    return "\r\n".join(out)


def _public_candidate(line: str, public_ip: str) -> list[str]:
    """The same port as seen from outside a one-to-one NAT (RFC 8839, server reflexive)."""
    words = line.split(" ")
    if len(words) < 8 or words[7] != "host" or words[4] == public_ip or ":" in words[4]:
        return []
    priority = (100 << 24) | (65_535 << 8) | 255
    mapped = [words[0] + "n", words[1], words[2], str(priority), public_ip, words[5], "typ", "srflx"]
    return [" ".join([*mapped, "raddr", words[4], "rport", words[5]])]


def ice_ufrag(sdp: str) -> str:
    """The first ice-ufrag in an SDP."""
    return next((line[12:] for line in lines_of(sdp) if line.startswith("a=ice-ufrag:")), "")


def lines_of(text: str) -> list[str]:
    """The lines of an SDP, whatever ends them."""
    return [line for line in re.split(r"\r\n|\n|\r", text) if line]


def usable_candidate(candidate: str) -> bool:
    """A UDP candidate with an address. mDNS names are left out: the host's own checks tell us where it is."""
    match = _CANDIDATE.match(candidate)
    if match is None or match[1].lower() != "udp" or "%" in match[2] or not 0 < int(match[3]) < 65_536:
        return False
    try:
        ipaddress.ip_address(match[2])
    except ValueError:
        return False
    return match[4] in ("host", "srflx", "relay")


def _sections(text: str) -> tuple[list[str], list[_Media]]:
    if len(text) > MAX_OFFER_BYTES:
        raise Refusal("too_large", f"An offer has at most {MAX_OFFER_BYTES} bytes.")
    lines = lines_of(text)
    if not lines or lines[0] != "v=0":
        raise Refusal("malformed", "This is not an SDP: its first line is not v=0.")
    if not text.isprintable() and any(ord(character) < 32 and character not in "\r\n\t" for character in text):
        raise Refusal("malformed", "The SDP has control characters.")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise Refusal("malformed", "The SDP has no media section.")
    ends = [*starts[1:], len(lines)]
    media = [_media(lines[start:end]) for start, end in zip(starts, ends, strict=True)]
    return _session(lines[: starts[0]], media), media


def _media(lines: list[str]) -> _Media:
    match = _MEDIA_LINE.match(lines[0])
    if match is None:
        kind = lines[0][2:].split(" ")[0]
        if kind in ("audio", "video"):
            raise Refusal("malformed", f"A line of the SDP is not understood: {lines[0][:80]}")
        raise Refusal("not_acceptable", f"Only audio and video are taken, the offer also has: {kind[:20]}")
    payloads = [int(word) for word in match[4].split()]
    if match[1] not in ("audio", "video"):
        raise Refusal("not_acceptable", f"Only audio and video are taken, the offer also has: {match[1][:20]}")
    return _Media(match[1], match[3], payloads, lines[1:])


def _session(lines: list[str], media: list[_Media]) -> list[str]:
    """The session lines we understand: the bundle of sections there are, and transport defaults."""
    kept = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    mids = [mid for section in media for mid in section.values("mid")]
    bundle = next((line.split(" ")[1:] for line in lines if line.startswith("a=group:BUNDLE ")), [])
    if [mid for mid in bundle if mid in mids]:
        kept.append("a=group:BUNDLE " + " ".join(mid for mid in bundle if mid in mids))
    kept += [line for line in lines if line.startswith(("a=ice-", "a=fingerprint:", "a=setup:"))]
    return kept


def _only(media: list[_Media], kind: str) -> _Media | None:
    found = [section for section in media if section.kind == kind]
    if len(found) > 1:
        raise Refusal("not_acceptable", f"The offer has {len(found)} {kind} sections; one is taken.")
    return found[0] if found else None


def _codecs(section: _Media) -> dict[int, str]:
    found = {}
    for value in section.values("rtpmap"):
        match = _RTPMAP.match(value)
        if match and int(match[1]) in section.payloads:
            found[int(match[1])] = f"{match[2].lower()}/{match[3]}"
    return found


def _fmtp(section: _Media, payload: int) -> dict[str, str]:
    text = next((v.partition(" ")[2] for v in section.values("fmtp") if v.partition(" ")[0] == str(payload)), "")
    pairs = (item.strip().partition("=") for item in text.split(";"))
    return {name.lower(): value for name, _, value in pairs if name}


def _choose_h264(section: _Media) -> int:
    """The first H.264 in packetization mode 1, baseline before the others (it has no B-frames)."""
    codecs = _codecs(section)
    h264 = [payload for payload in section.payloads if codecs.get(payload) == "h264/90000"]
    usable = [payload for payload in h264 if _fmtp(section, payload).get("packetization-mode") == "1"]
    usable = [p for p in usable if _PROFILE.match(_fmtp(section, p).get("profile-level-id", NEUTRAL_PROFILE))]
    if not usable:
        names = ", ".join(sorted({name.split("/")[0].upper() for name in codecs.values()})) or "nothing known"
        missing = "H.264 in packetization mode 1" if h264 else "H.264"
        raise Refusal(
            "not_acceptable",
            f"The offer has no {missing} video, which viewers' browsers need; it has {names}.",
        )
    baseline = [p for p in usable if _fmtp(section, p).get("profile-level-id", NEUTRAL_PROFILE)[:2] == "42"]
    return (baseline or usable)[0]


def _choose_opus(section: _Media) -> int:
    codecs = _codecs(section)
    found = next((payload for payload in section.payloads if codecs.get(payload) == "opus/48000"), None)
    if found is None:
        raise Refusal("not_acceptable", "The offer's audio has no Opus; offer Opus at 48 kHz, or no audio.")
    return found


def _rtx_of(section: _Media, payload: int) -> list[int]:
    codecs = _codecs(section)
    return [
        number
        for number in section.payloads
        if codecs.get(number) == "rtx/90000" and _fmtp(section, number).get("apt") == str(payload)
    ][:1]


def _check_transport(section: _Media, session: list[str]) -> None:
    """What aiortc takes for granted: ICE words, a fingerprint it can check, a DTLS role, one port."""
    merged = _Media(section.kind, section.protocol, section.payloads, [*session, *section.lines])
    words = [*merged.values("ice-ufrag")[-1:], *merged.values("ice-pwd")[-1:]]
    if len(words) < 2 or not all(_ICE_WORD.match(word) for word in words):
        raise Refusal("malformed", f"The {section.kind} section lacks a proper ice-ufrag or ice-pwd.")
    if not any(_FINGERPRINT.match(value) for value in merged.values("fingerprint")):
        raise Refusal("malformed", f"The {section.kind} section lacks a SHA-256, -384 or -512 fingerprint.")
    if merged.values("setup")[-1:] not in (["actpass"], ["active"], ["passive"]):
        raise Refusal("malformed", f"The {section.kind} section lacks a=setup:actpass.")
    if not section.has("rtcp-mux"):
        raise Refusal("not_acceptable", "RTP and RTCP must share one port: the offer lacks a=rtcp-mux.")
    if "SAVP" not in section.protocol:
        raise Refusal("not_acceptable", f"Media must be encrypted (SAVPF), the offer says {section.protocol}.")
    if section.has("recvonly") or section.has("inactive"):
        raise Refusal("not_acceptable", f"The offer does not send its {section.kind}: use a=sendonly.")
    if len(section.values("mid")) != 1:
        raise Refusal("malformed", f"The {section.kind} section needs one a=mid.")


def _rewritten(section: _Media, payloads: list[int], h264: int) -> list[str]:
    """The section with `payloads` only, its H.264 under a profile aiortc knows, the unreadable left out."""
    out = [f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, payloads))}", "c=IN IP4 0.0.0.0"]
    for line in section.lines:
        if line.startswith("a=fmtp:") and line[7:].partition(" ")[0] == str(h264) and section.kind == "video":
            continue
        if _kept(line, payloads):
            out.append(line)
    out.append("a=sendonly")
    if section.kind == "video":
        out.append(f"a=fmtp:{h264} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={NEUTRAL_PROFILE}")
    return out


def _kept(line: str, payloads: list[int]) -> bool:
    if not line.startswith("a="):
        return False
    name = line[2:].partition(":")[0] + ":"
    value = line[2 + len(name) :]
    if name in _PER_PAYLOAD:
        return _kept_for_payload(name, value, payloads)
    if name == "candidate:":
        return usable_candidate(value)
    if name == "fingerprint:":
        return _FINGERPRINT.match(value) is not None
    if name == "extmap:":
        return re.match(r"\d{1,2}(/\w+)? \S+\Z", value) is not None
    if name == "ssrc:":
        match = re.match(r"(\d{1,10}) cname:\S+\Z", value)
        return match is not None and int(match[1]) < 1 << 32
    if name == "ssrc-group:":
        return re.match(r"FID \d{1,10} \d{1,10}\Z", value) is not None
    return name in ("mid:", "ice-ufrag:", "ice-pwd:", "setup:", "rtcp-mux:")


def _kept_for_payload(name: str, value: str, payloads: list[int]) -> bool:
    number, _, rest = value.partition(" ")
    if not number.isdecimal() or int(number) not in payloads or not rest:
        return False
    if name == "rtpmap:":
        return _RTPMAP.match(value) is not None
    if name == "fmtp:":  # numbers where aiortc reads numbers
        return all(re.match(r"[\w-]+(=[\w.,/+=-]*)?\Z", item.strip()) for item in rest.split(";")) and _numbers(rest)
    return True


def _numbers(parameters: str) -> bool:
    numeric = ("apt", "max-fr", "max-fs", "maxplaybackrate", "minptime", "stereo", "useinbandfec")
    pairs = (item.partition("=") for item in parameters.split(";"))
    return all(value.isdecimal() for name, _, value in pairs if name in numeric)


def _parameter_sets(text: str) -> tuple[bytes, ...]:
    try:
        return tuple(nal for part in text.split(",") if (nal := base64.b64decode(part, validate=True)))
    except binascii.Error:
        return ()
