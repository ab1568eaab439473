"""A test issuer of age credentials and a holder's wallet: what they sign is what the real ones would."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER = "https://issuer.example"
AUDIENCE = "https://shop.example"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A signing key, ES256 or EdDSA."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg = alg
        self._key: Any = generate_private_key(SECP256R1()) if alg == "ES256" else Ed25519PrivateKey.generate()

    @property
    def jwk(self) -> dict[str, str]:
        """The public half."""
        if isinstance(self._key, EllipticCurvePrivateKey):
            numbers = self._key.public_key().public_numbers()
            x, y = (b64(part.to_bytes(32)) for part in (numbers.x, numbers.y))
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self._key.public_key().public_bytes_raw())}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A compact JWS."""
        signed = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": self.alg, **header}, claims))
        if isinstance(self._key, EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(SHA256())))
            return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
        return f"{signed}.{b64(self._key.sign(signed.encode()))}"


def issuers(key: Key) -> dict[str, list[dict[str, Any]]]:
    """The configuration that trusts `key`."""
    return {ISSUER: [key.jwk]}


TRUSTED = Key()  # whom the running system of the tests trusts


def token(key: Key, nonce: str, now_s: int, /, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A plain signed token for our nonce; claims set to None are left out."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "nonce": nonce, "iat": now_s, "exp": now_s + 300, "age_over_18": True}
    return key.sign({name: value for name, value in {**claims, **changed}.items() if value is not None}, **(header or {}))


class Wallet:
    """A holder of an SD-JWT VC with `age_over_18` and a name, of which only what is asked is disclosed."""

    def __init__(self, issuer: Key, now_s: int, holder: Key | None = None, **changed: Any) -> None:
        self.holder = holder or Key("ES256")
        told = {"age_over_18": True, "family_name": "MARKER-family-name", **changed}
        self.disclosures = {name: b64(json.dumps([secrets.token_hex(8), name, value]).encode()) for name, value in told.items()}
        claims = {
            "iss": ISSUER, "iat": now_s - 86_400, "exp": now_s + 86_400, "vct": "urn:eudi:pid:1", "cnf": {"jwk": self.holder.jwk},
            "_sd_alg": "sha-256", "_sd": [digest(one) for one in self.disclosures.values()],
        }  # fmt: skip
        self.credential = issuer.sign(claims, typ="dc+sd-jwt")

    def show(
        self, nonce: str, now_s: int, /, disclose: tuple[str, ...] = ("age_over_18",), by: Key | None = None, **changed: Any
    ) -> str:
        """The credential with these disclosures, bound to our nonce."""
        shown = "~".join([self.credential, *(self.disclosures[name] for name in disclose)]) + "~"
        bound = {"aud": AUDIENCE, "nonce": nonce, "iat": now_s, "sd_hash": digest(shown), **changed}
        return shown + (by or self.holder).sign(bound, typ="kb+jwt")


def digest(text: str) -> str:
    """SHA-256, base64url."""
    return b64(hashlib.sha256(text.encode()).digest())
