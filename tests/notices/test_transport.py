"""Handing mails in at a real SMTP server: the very bytes, passwords only under TLS, and what each reply means."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from livesale.notices.box import Box
from livesale.notices.transport import DevFolder, Envelope, Later, Refused, Smtp, Unreachable
from tests.notices.conftest import MailServer

DATA = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n\r\n.\r\n..dots\r\nend\r\n"
ENVELOPE = Envelope("a@example.org", "b@example.org", "1795801327456-" + "0" * 32)


class Certificate:
    """A certificate for `mail.test` and `localhost`, and both sides' TLS."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
        names = x509.SubjectAlternativeName([x509.DNSName("mail.test"), x509.DNSName("localhost")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1)).add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        self._file = folder / "mail.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._file)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._file))


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server counts as another machine: loopback's rule does not apply."""
    monkeypatch.setattr("livesale.notices.transport._is_here", lambda _host: False)


async def test_the_bytes_arrive_as_written(server: MailServer) -> None:
    """Lines of dots and all: what was handed in is what is delivered, to that address alone."""
    await Smtp(f"smtp://127.0.0.1:{server.port}").send(ENVELOPE, DATA)
    assert server.mails == [(["b@example.org"], DATA)]


async def test_the_folder_keeps_the_same_bytes(tmp_path: Path) -> None:
    """A dev mail is what SMTP would have carried."""
    await DevFolder(Box(tmp_path / "mail")).send(ENVELOPE, DATA)
    assert (tmp_path / "mail" / f"{ENVELOPE.name}.eml").read_bytes() == DATA


@pytest.mark.parametrize(
    ("at", "reply", "means", "code"),
    [
        ("b@example.org", "451 Try later", Later, 451),
        ("b@example.org", "550 No b@example.org here", Refused, 550),
        ("DATA", "452 Full", Later, 452),
        ("DATA", "554 Spam", Refused, 554),
        ("MAIL", "550 Not you", Later, 550),
        ("MAIL", "421 Bye", Later, 421),
    ],
)
async def test_what_a_reply_means(server: MailServer, at: str, reply: str, means: type[Exception], code: int) -> None:
    """4xx is later, 5xx never, except what is said of our own sender; the code is kept, the server's words are not."""
    server.replies[at] = [reply]
    with pytest.raises(means) as said:
        await Smtp(f"smtp://127.0.0.1:{server.port}").send(ENVELOPE, DATA)
    assert said.value.code == code  # type: ignore[attr-defined]
    assert "example.org" not in f"{said.value!r} {said.value.__cause__}"
    assert not isinstance(said.value, Unreachable)


async def test_a_server_that_is_away(server: MailServer) -> None:
    """Refused connections are the server's state, not the mail's."""
    await server.stop()
    with pytest.raises(Unreachable):
        await Smtp(f"smtp://127.0.0.1:{server.port}").send(ENVELOPE, DATA)


async def sign_in(certificate: Certificate, url: str, seen: list[bytes], **options: object) -> MailServer:
    """The server after one mail to `url` with `{port}` in it; `seen` gets the passwords it was told."""

    def check(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        seen.append(data.password)  # type: ignore[attr-defined]
        return AuthResult(success=seen[-1] == b"p@ss/word", handled=False)

    server = MailServer(authenticator=check, **options)
    await server.start()
    try:
        await Smtp(url.format(port=server.port), certificate.client).send(ENVELOPE, DATA)
    finally:
        await server.stop()
    return server


async def test_a_password_goes_under_tls(certificate: Certificate, elsewhere: None) -> None:
    """`smtp://user:password@` turns to TLS first; user and password are read from the URL, escapes undone."""
    url = "smtp://me%40shop:p%40ss%2Fword@localhost:{port}"
    seen: list[bytes] = []
    server = await sign_in(certificate, url, seen, tls_context=certificate.server())
    assert seen == [b"p@ss/word"]
    assert len(server.mails) == 1


async def test_no_password_without_tls(certificate: Certificate, elsewhere: None) -> None:
    """A server (or someone in between) that offers no TLS is never told the password."""
    seen: list[bytes] = []
    with pytest.raises(Unreachable):
        await sign_in(certificate, "smtp://me:secret@localhost:{port}", seen, auth_require_tls=False)
    assert seen == []


async def test_a_wrong_password_is_no_mails_fault(certificate: Certificate, elsewhere: None) -> None:
    """535 is a setting to be put right: mails wait for it."""
    with pytest.raises(Unreachable) as said:
        await sign_in(certificate, "smtp://me:wrong@localhost:{port}", [], tls_context=certificate.server())
    assert said.value.code == 535
    assert "wrong" not in repr(said.value)


async def test_a_certificate_for_someone_else_is_refused(certificate: Certificate, elsewhere: None) -> None:
    """STARTTLS with a certificate that does not name the host: nothing is handed in."""
    seen: list[bytes] = []
    with pytest.raises(Unreachable):
        await sign_in(certificate, "smtp://me:secret@127.0.0.1:{port}", seen, tls_context=certificate.server())
    assert seen == []


async def test_smtps(certificate: Certificate) -> None:
    """TLS from the first byte."""
    server = MailServer(certificate.server())
    await server.start()
    await Smtp(f"smtps://localhost:{server.port}", certificate.client).send(ENVELOPE, DATA)
    await server.stop()
    assert len(server.mails) == 1
