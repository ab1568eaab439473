"""Vapid: who we are to push services (RFC 8292): a P-256 key of our own, and a short-lived word signed with it. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VALID_S = 12 * 3600  # section 2: at most 24 h


class Vapid:
    """`secret` is the key's number (`vapid.key`), `subject` where a push service can complain (`mailto:…`)."""

    def __init__(self, secret: bytes, subject: str) -> None:
        self._key: EllipticCurvePrivateKey = derive_private_key(int.from_bytes(secret, "big"), SECP256R1())
        self._subject = subject
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = encoded(point)  # as browsers take it

    def authorization(self, endpoint: str, now_s: int) -> str:
        """The Authorization header for one push service: the one that `endpoint` is an address of."""
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now_s + VALID_S, "sub": self._subject}
        said = b".".join(encoded(msgspec.json.encode(one)).encode() for one in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self._key.sign(said, ECDSA(SHA256())))
        return f"vapid t={said.decode()}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}, k={self.public}"


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
