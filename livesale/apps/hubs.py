"""Hubs: what a studio's and an edge's hub have in common, from the settings. Knows no store: an edge has none."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from livesale.settings import Settings, SettingsError, bracketed

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}


def origins(settings: Settings) -> frozenset[str]:
    """The pages that may open a hub's socket: ours, under any loopback name, or under the public addresses."""
    names = {*LOOPBACK_HOSTS, bracketed(settings.host)}
    listens = {("http", settings.port), ("https", settings.ports.tls or settings.port)}
    shown = [(scheme, "" if port == DEFAULT_PORTS[scheme] else f":{port}") for scheme, port in listens]
    here = {f"{scheme}://{name}{port}" for scheme, port in shown for name in names}
    return frozenset(here | {url.rstrip("/") for url in settings.public_urls})


def hub_url(settings: Settings, port: int) -> str:
    """Where a hub of this process listens."""
    scheme = "wss" if settings.tls.certificate else "ws"
    return f"{scheme}://{bracketed(settings.host)}:{port}"


def unnamed_here(settings: Settings, base: str) -> ssl.SSLContext | None:
    """How an upstream at `base` is verified: None is the usual way, by name and authority. One on this machine is reached
    by an address its certificate does not have, and there is nobody in between."""
    parts = urlsplit(base)
    if parts.scheme != "wss" or parts.hostname not in ("127.0.0.1", "::1", "localhost", settings.host):
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def upstreams(settings: Settings) -> list[str]:
    """Where an edge is fed from: what is set, else the studio of this DATA."""
    if settings.hubs.upstreams:
        return settings.hubs.upstreams
    if not settings.ports.studio:
        raise SettingsError("hubs.upstreams is empty: an edge needs the address of a studio or another edge")
    return [hub_url(settings, settings.ports.studio)]


def public_hub_url(settings: Settings, kind: str) -> str:
    """Where browsers reach this process's hub; empty: under the page's host name, at the hub's own port."""
    return settings.hubs.public_url.replace("{instance}", settings.instance or kind).rstrip("/")
