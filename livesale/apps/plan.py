"""The plan of a system: from the Procfile and the settings to the processes, their copies and ports."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from livesale.apps import store
from livesale.apps.child import Spec
from livesale.apps.ports import Claims
from livesale.settings import Settings, SettingsError, bracketed, socket_path, variable_of

MOST_COPIES = 64
# Settings (`port` or `ports.…`) a process listens on, and what browsers or other processes speak there.
_LISTENS = {
    "web": {"port": "http", "ports.tls": "https"},
    "studio": {"ports.studio": "ws", "ports.studio_control": "http"},
    "edge": {"ports.edge": "ws"},
    "paysim": {"ports.paysim": "http"},
}
_SHARED = "web"  # its copies share one port by SO_REUSEPORT; every other copy has ports of its own


def read_procfile(path: Path) -> list[str]:
    """The processes of a Procfile in order; every line is `NAME: livesale NAME`."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    names: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, command = line.partition(":")
        if command.split() != ["livesale", name]:
            raise SettingsError(f"{path} line {number}: expected `NAME: livesale NAME`, found {line!r}")
        names.append(name)
    return names


def without_elsewhere(settings: Settings, names: list[str]) -> list[str]:
    """`names` less what this installation has elsewhere: a Valkey of its own, a real payment provider."""
    elsewhere = {"store": bool(settings.valkey_url), "paysim": settings.payments.provider != "sandbox"}
    return [name for name in names if not elsewhere.get(name, False)]


def copies_of(text: str, names: list[str]) -> dict[str, int]:
    """`web=2` → {store: 1, web: 2, …}; SettingsError for anything that is not that."""
    counts = dict.fromkeys(names, 1)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, count = part.partition("=")
        if (
            name not in counts
            or name == "store"
            or not count.isdecimal()
            or not 1 <= int(count) <= MOST_COPIES
        ):
            several = ", ".join(name for name in names if name != "store")
            raise SettingsError(
                f"processes: {part!r} is not NAME=1 to {MOST_COPIES} with a NAME of: {several}"
            )
        counts[name] = int(count)
    return counts


def claim(settings: Settings, copies: dict[str, int], asked: frozenset[str]) -> Claims:
    """Claim every port of the system. Those of the keys in `asked` must be as set; the others are chosen."""
    claims = Claims(settings.data, settings.host)
    given = {"port": settings.port}
    given.update({f"ports.{name}": port for name, port in msgspec.structs.asdict(settings.ports).items()})
    listening = [
        (key, number)
        for process in copies
        for key in _listens(settings, process)
        for number in range(1, 2 if process == _SHARED else copies[process] + 1)
    ]
    for key, number in sorted(listening, key=lambda one: one[0] not in asked):
        if key in asked and given[key] and number == 1:
            claims.fixed(key, given[key])
        else:
            claims.chosen(_numbered(key, number))
    claims.remember()
    return claims


def specs(settings: Settings, copies: dict[str, int], ports: dict[str, int]) -> list[Spec]:
    """What the supervisor runs, in the Procfile's order."""
    return [
        _spec(settings, process, number, count, ports)
        for process, count in copies.items()
        for number in range(1, count + 1)
    ]


def demo_spec(settings: Settings, ports: dict[str, int]) -> Spec:
    """The demo's host, who is no process of the Procfile."""
    return Spec("demo", _arguments(settings, "demo-host"), _environment(settings, "demo", ports))


def _spec(settings: Settings, process: str, number: int, count: int, ports: dict[str, int]) -> Spec:
    instance = process if count == 1 else f"{process}.{number}"
    own = dict(ports)
    urls = [f"unix://{socket_path(settings.data)}"] if process == "store" else []
    for key, scheme in _listens(settings, process).items():
        own[key] = ports[key if process == _SHARED else _numbered(key, number)]
        urls.append(f"{scheme}://{bracketed(settings.host)}:{own[key]}")
    environment = _environment(settings, instance, own)
    if process == "edge" and not settings.hubs.upstreams:
        environment[variable_of("hubs.upstreams")] = ",".join(_studios(settings, ports))
    return Spec(
        instance,
        _arguments(settings, process),
        environment,
        urls,
        partial(store.answers, settings) if process == "store" else None,
    )


def _arguments(settings: Settings, command: str) -> list[str]:
    return [command, "--data", str(settings.data)]


def _environment(settings: Settings, instance: str, ports: dict[str, int]) -> dict[str, str]:
    """What a process must see as `up` sees it, whatever files and options said."""
    seen = {"instance": instance, "host": settings.host, "processes": settings.processes}
    seen |= {"demo": str(settings.demo).lower(), "dev_mail": str(settings.dev_mail).lower()}
    seen |= {key: str(port) for key, port in ports.items() if key.rpartition(".")[2].isdecimal() is False}
    return {variable_of(key): value for key, value in seen.items()}


def _listens(settings: Settings, process: str) -> dict[str, str]:
    """Those of `_LISTENS` that are used, and with a certificate of our own encrypted."""
    listens = _LISTENS.get(process, {})
    if settings.tls.certificate:
        return {key: "wss" if scheme == "ws" else scheme for key, scheme in listens.items()}
    return {key: scheme for key, scheme in listens.items() if key != "ports.tls"}


def _studios(settings: Settings, ports: dict[str, int]) -> list[str]:
    """Where the hubs of this system's studios are."""
    numbers = [key for key in ports if key == "ports.studio" or key.startswith("ports.studio.")]
    scheme = _listens(settings, "studio")["ports.studio"]
    return [f"{scheme}://{bracketed(settings.host)}:{ports[key]}" for key in sorted(numbers)]


def _numbered(key: str, number: int) -> str:
    return key if number == 1 else f"{key}.{number}"
