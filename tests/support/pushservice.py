"""A push service on loopback and the browsers it serves; what it is handed is opened as a browser would (RFC 8188, 8291)."""

from __future__ import annotations

import json
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Browser:
    """One browser's subscription: its address, and the keys that never leave it."""

    endpoint: str
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def told(self) -> dict[str, str]:
        """What it tells the system."""
        return {"endpoint": self.endpoint, "p256dh": encoded(point(self.key)), "auth": encoded(self.auth)}

    def opened(self, body: bytes) -> bytes:
        """The plain text of a push."""
        salt, size, theirs = body[:16], body[20], body[21 : 21 + body[20]]
        shared = self.key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), theirs))
        secret = _derived(shared, self.auth, b"WebPush: info\0" + point(self.key) + theirs, 32)
        key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        return AESGCM(key).decrypt(nonce, body[21 + size :], None).rstrip(b"\0").removesuffix(b"\x02")


@dataclass(frozen=True)
class Pushed:
    """What was handed in for a browser."""

    endpoint: str
    headers: dict[str, str]
    said: dict[str, Any]


class PushService:
    """`replies` are statuses (and further headers) given instead of taking a push, first come, by address."""

    def __init__(self) -> None:
        self.pushed: list[Pushed] = []
        self.refused: list[int] = []
        self.replies: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self._browsers: dict[str, Browser] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def browser(self) -> Browser:
        """A new browser that has subscribed here."""
        made = Browser(f"{self.origin}/push/{secrets.token_urlsafe(12)}")
        self._browsers[made.endpoint] = made
        return made

    def of(self, browser: Browser) -> list[Pushed]:
        """What arrived for one."""
        return [one for one in self.pushed if one.endpoint == browser.endpoint]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint, body = service.origin + self.path, self.rfile.read(int(self.headers["Content-Length"]))
                planned = service.replies.get(endpoint, [])
                status, told = planned.pop(0) if planned else (201, {})
                if status == 201:
                    check_vapid(self.headers["Authorization"], service.origin)
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    said = json.loads(service._browsers[endpoint].opened(body))
                    service.pushed.append(Pushed(endpoint, headers, said))
                else:
                    service.refused.append(status)
                self.send_response(status)
                for name, value in told.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not into the tests' output."""

        return Handler


def check_vapid(header: str, audience: str) -> dict[str, Any]:
    """The claims of an Authorization header (RFC 8292); raises unless they are signed by the key it names, for us."""
    scheme, _, rest = header.partition(" ")
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    said, _, signature = parts["t"].rpartition(".")
    raw = decoded(signature)
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(parts["k"]))
    signed = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(signed, said.encode(), ECDSA(SHA256()))
    head, claims = (json.loads(decoded(part)) for part in said.split("."))
    assert (scheme, head, claims["aud"]) == ("vapid", {"typ": "JWT", "alg": "ES256"}, audience)
    return dict(claims)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
