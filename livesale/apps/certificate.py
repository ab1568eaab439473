"""The certificate: TLS for what browsers reach, from files that may change while the process runs.

Laws: new files are taken when they work together, in one step, for the connections that come from then on; until then the
old ones stay and an error is logged. A connection that is there keeps the certificate it began with.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from livesale.settings import Settings, SettingsError

LOOK_EVERY_S = 5.0

Signature = tuple[tuple[int, int, int], ...]

log = structlog.get_logger(__name__)


class Certificate:
    """`context` is for servers and stays the same object; every handshake uses what was loaded last."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._files = (chain, key)
        self._seen = self._signature()
        self.context = self._current = self._loaded()
        self.context.sni_callback = self._choose

    def look(self) -> bool:
        """Takes new files if there are any; whether it did."""
        seen = self._signature()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self._current = self._loaded()
        except SettingsError as error:
            log.error("the new certificate cannot be used; the old one stays", why=str(error))
            return False
        log.info("a new certificate is in use", file=str(self._files[0]))
        return True

    async def watch(self) -> None:
        """Looks every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _loaded(self) -> ssl.SSLContext:
        chain, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(chain, key)
        except (OSError, ssl.SSLError) as error:  # a key of another certificate too
            raise SettingsError(f"{chain} and {key} are no certificate and key: {error}") from None
        return context

    def _signature(self) -> Signature:
        return tuple(_stamp(path) for path in self._files)


def certificate_of(settings: Settings) -> Certificate | None:
    """The one the settings name, if any; SettingsError when it does not work."""
    if not settings.tls.certificate:
        return None
    return Certificate(Path(settings.tls.certificate), Path(settings.tls.key))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
