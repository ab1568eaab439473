"""Hubs: what a studio's and an edge's hub have in common, from the settings. Knows no store: an edge has none."""

from __future__ import annotations

from livesale.settings import Settings, bracketed

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}


def origins(settings: Settings) -> frozenset[str]:
    """The pages that may open a hub's socket: ours, under any loopback name, or under the public addresses."""
    names = {*LOOPBACK_HOSTS, bracketed(settings.host)}
    ports = {scheme: "" if settings.port == usual else f":{settings.port}" for scheme, usual in DEFAULT_PORTS.items()}
    here = {f"{scheme}://{name}{port}" for scheme, port in ports.items() for name in names}
    return frozenset(here | {url.rstrip("/") for url in settings.public_urls})


def hub_url(settings: Settings, port: int) -> str:
    """Where a hub of this process listens."""
    return f"ws://{bracketed(settings.host)}:{port}"


def public_hub_url(settings: Settings, kind: str) -> str:
    """Where browsers reach this process's hub; empty: under the page's host name, at the hub's own port."""
    return settings.hubs.public_url.replace("{instance}", settings.instance or kind).rstrip("/")
