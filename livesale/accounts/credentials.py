"""Credentials: an issuer's signed word that someone has reached an age, checked; pure.

Two forms: a JWT of the issuer made for us (RFC 7519), and an SD-JWT that its holder shows us (RFC 9901; SD-JWT VC), of
which only the claims asked for are disclosed and whose key binding is made for us. Either names our audience and our
nonce, so that what was shown elsewhere, or to us before, proves nothing. ES256 and EdDSA (Ed25519) only, each by a key of
its own kind. Nothing of a credential is kept but who issued it.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from livesale.kernel.refusals import Refusal

LONGEST = 16_384  # characters
MOST_DISCLOSURES = 50
SKEW_S = 60  # clocks differ
SHOWN_WITHIN_S = 300  # a key binding is made for this very showing
_SD_JWT = frozenset({"dc+sd-jwt", "vc+sd-jwt"})
_KEYS = {"ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}

Jwk = Mapping[str, Any]
Issuers = Mapping[str, list[Jwk]]  # by `iss`: its public keys


Reason = Literal["unreadable", "issuer", "time", "elsewhere", "claim", "signature"]


class NotProven(Exception):
    """The credential proves nothing here; the message says why, for people, `reason` in a word, for pages."""

    def __init__(self, message: str, reason: Reason = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class Asked(msgspec.Struct, frozen=True):
    """What must be proven: `claim` true, said to `audience` with this `nonce`, at `now_s`."""

    claim: str
    audience: str
    nonce: str
    now_s: int


def issuer_of(credential: str, asked: Asked, issuers: Issuers) -> str:
    """Who vouches for `asked.claim`; Refusal `forbidden`, saying why, when nobody we know does."""
    try:
        return _shown(credential, asked, issuers) if "~" in credential else _said(credential, asked, issuers)
    except NotProven as error:
        raise Refusal("forbidden", f"This does not prove your age: {error}.", [{"reason": error.reason}]) from error
    except (ValueError, KeyError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        raise unreadable() from error


def unreadable() -> Refusal:
    """The refusal of what is no credential at all."""
    return Refusal("forbidden", "This does not prove your age: it is no credential we can read.", [{"reason": "unreadable"}])


def nonce_in(credential: str) -> str:
    """The nonce a credential says it was made for, not yet checked; empty when it has none."""
    try:
        token = credential.rpartition("~")[2] if "~" in credential else credential
        return str(_parts(token)[1].get("nonce", ""))
    except (ValueError, KeyError, TypeError, AttributeError, msgspec.MsgspecError):
        return ""


def read_issuers(text: str) -> Issuers:
    """Issuers and their keys from JSON, `{"https://issuer": {"keys": [JWK, …]}}`; ValueError when a key cannot be used."""
    read: dict[str, list[Jwk]] = {}
    for issuer, told in msgspec.json.decode(text, type=dict[str, dict[str, list[dict[str, Any]]]]).items():
        read[issuer] = list(told["keys"])
        for key in told["keys"]:
            if (key.get("kty"), key.get("crv")) not in _KEYS.values():
                raise ValueError(f"{issuer} has a key that is neither P-256 nor Ed25519")
    return read


def _said(token: str, asked: Asked, issuers: Issuers) -> str:
    claims = _by_issuer(token, asked, issuers)[1]
    _check_for_us(claims, asked)
    _check_claim(claims, asked)
    return str(claims["iss"])


def _shown(credential: str, asked: Asked, issuers: Issuers) -> str:
    signed, _, binding = credential.rpartition("~")
    token, *disclosures = signed.split("~")
    header, claims = _by_issuer(token, asked, issuers)
    if header.get("typ") not in _SD_JWT:
        raise NotProven("it is no SD-JWT credential")
    if len(disclosures) > MOST_DISCLOSURES:
        raise NotProven("it discloses too much")
    if claims.get("_sd_alg", "sha-256") != "sha-256":
        raise NotProven("its hash is not SHA-256")
    _check_binding(binding, f"{signed}~", claims, asked)
    _check_claim(_disclosed(claims, disclosures), asked)
    return str(claims["iss"])


def _by_issuer(token: str, asked: Asked, issuers: Issuers) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token one of our issuers has signed and that is valid now."""
    if len(token) > LONGEST:
        raise NotProven("it is too long")
    header, claims = _parts(token)
    keys = issuers.get(str(claims.get("iss")))
    if keys is None:
        raise NotProven("its issuer is none of those we trust", "issuer")
    _check_signature(token, header, [key for key in keys if "kid" not in header or key.get("kid") == header["kid"]])
    if int(claims["exp"]) <= asked.now_s:
        raise NotProven("it has expired", "time")
    if max(int(claims.get("nbf", 0)), int(claims.get("iat", 0))) > asked.now_s + SKEW_S:
        raise NotProven("it is not valid yet", "time")
    return header, claims


def _check_binding(token: str, signed: str, claims: dict[str, Any], asked: Asked) -> None:
    """The holder shows it, to us, now (key binding, RFC 9901 section 4.3)."""
    if not token:
        raise NotProven("its holder has not signed", "signature")
    header, binding = _parts(token)
    if header.get("typ") != "kb+jwt":
        raise NotProven("its holder has not signed", "signature")
    _check_signature(token, header, [claims["cnf"]["jwk"]])
    if abs(asked.now_s - int(binding["iat"])) > SHOWN_WITHIN_S:
        raise NotProven("it was shown at another time", "elsewhere")
    if binding["sd_hash"] != _hash(signed):
        raise NotProven("its holder has signed something else", "signature")
    _check_for_us(binding, asked)


def _check_for_us(claims: dict[str, Any], asked: Asked) -> None:
    audience = claims.get("aud")
    if asked.audience not in (audience if isinstance(audience, list) else [audience]):
        raise NotProven("it was made for somebody else", "elsewhere")
    if claims.get("nonce") != asked.nonce:
        raise NotProven("it was made for another request", "elsewhere")


def _check_claim(claims: dict[str, Any], asked: Asked) -> None:
    if claims.get(asked.claim) is not True:
        raise NotProven(f"it does not say {asked.claim}", "claim")


def _disclosed(claims: dict[str, Any], disclosures: list[str]) -> dict[str, Any]:
    """The claims in clear, and of the hidden ones those disclosed whose digest the issuer has signed."""
    signed, seen = set(claims.get("_sd", [])), dict(claims)
    for disclosure in disclosures:
        if _hash(disclosure) not in signed:
            raise NotProven("it discloses what its issuer has not signed", "signature")
        _, name, value = msgspec.json.decode(_bytes(disclosure))
        if name in claims:
            raise NotProven("it says one thing twice")
        seen[name] = value
    return seen


def _check_signature(token: str, header: dict[str, Any], keys: list[Jwk]) -> None:
    if "crit" in header or header.get("alg") not in _KEYS:
        raise NotProven("it is not signed in a way we know", "signature")
    signed, _, signature = token.rpartition(".")
    for key in keys:
        if (key.get("kty"), key.get("crv")) == _KEYS[header["alg"]] and _is_signed(key, signed.encode(), _bytes(signature)):
            return
    raise NotProven("its signature is not its issuer's or holder's", "signature")


def _is_signed(key: Jwk, signed: bytes, signature: bytes) -> bool:
    try:
        if key["kty"] == "OKP":
            Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(signature, signed)
            return True
        x, y = (int.from_bytes(_bytes(key[name])) for name in ("x", "y"))
        half = len(signature) // 2
        if half != 32:
            return False
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key().verify(der, signed, ECDSA(SHA256()))
        return True
    except InvalidSignature:
        return False


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return msgspec.json.decode(_bytes(header), type=dict[str, Any]), msgspec.json.decode(_bytes(claims), type=dict[str, Any])


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hash(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
