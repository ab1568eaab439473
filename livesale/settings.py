"""Settings: typed, read once at start; this file owns where a value may come from and which one wins.

Law: no default is written in code (`config/default.toml` has them all), and a key nobody knows is refused.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

CONFIG = Path(__file__).parent / "config"
PREFIX = "LIVESALE_"
SOCKET_PATH_BYTES = 100  # sockaddr_un holds 108, and Valkey binds a temporary name beside it

# Variables that are no settings: the file to read, and what the supervisor tells a process it starts.
CONFIG_VARIABLE = "LIVESALE_CONFIG"
READY_VARIABLE = "LIVESALE_READY_FD"
SUPERVISOR_VARIABLE = "LIVESALE_SUPERVISOR"
_NO_SETTINGS = frozenset({CONFIG_VARIABLE, READY_VARIABLE, SUPERVISOR_VARIABLE})

_SMTP_URL = re.compile(r"smtps?://(?:[^\s/@]+@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?\Z")
_MAIL_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+\Z")

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=3600)]


class SettingsError(Exception):
    """A setting that cannot be used; the message says which one, from where, and what would do."""


class Ports(msgspec.Struct, frozen=True):
    """TCP ports beside the web's; 0 while not chosen yet."""

    studio: Port
    studio_control: Port
    edge: Port
    paysim: Port
    tls: Port


class Hubs(msgspec.Struct, frozen=True):
    """How hubs reach each other, and browsers reach them."""

    upstreams: list[str]
    public_url: str


class Tls(msgspec.Struct, frozen=True):
    """A certificate of our own for what browsers reach."""

    certificate: str
    key: str


class Ice(msgspec.Struct, frozen=True):
    """How browsers reach this machine by UDP."""

    public_ip: str
    udp_min: Port
    udp_max: Port
    loopback: bool
    stun: list[str]
    turn: list[str]
    turn_username: str
    turn_password: str


class Hls(msgspec.Struct, frozen=True):
    """Who may fetch a show's HLS."""

    secret: str
    valid_min: Annotated[int, msgspec.Meta(ge=1, le=10_080)]


class Recordings(msgspec.Struct, frozen=True):
    """Where shows are recorded, and for how long that is kept."""

    folder: str
    keep_d: Days
class Hosts(msgspec.Struct, frozen=True):
    """How long a show waits for its host."""

    grace_s: Seconds


class Pictures(msgspec.Struct, frozen=True):
    """Where pictures that feeds name may be fetched from."""

    private_addresses: bool


class Payments(msgspec.Struct, frozen=True):
    """Who moves the money."""

    provider: Literal["sandbox", "stripe"]
    url: str
    secret: str
    webhook_secret: str


class Orders(msgspec.Struct, frozen=True):
    """Clocks of an order."""

    waitlist_min: Minutes


class Sessions(msgspec.Struct, frozen=True):
    """How long signing in lasts."""

    session_d: Days
    token_d: Days


class Settings(msgspec.Struct, frozen=True):
    """Everything that can be set; config/README.md explains each key."""

    data: Path
    host: str
    port: Port
    instance: str
    processes: str
    valkey_url: str
    database_url: str
    public_urls: list[str]
    trusted_proxies: list[str]
    probe_token: str
    demo: bool
    dev_mail: bool
    smtp_url: str
    mail_from: str
    countries: str
    age_issuers: str
    log_level: Literal["debug", "info", "warning", "error"]
    ports: Ports
    hubs: Hubs
    tls: Tls
    ice: Ice
    hls: Hls
    recordings: Recordings
    hosts: Hosts
    pictures: Pictures
    payments: Payments
    orders: Orders
    sessions: Sessions

    @property
    def base_url(self) -> str:
        """`http://HOST:PORT`, where the pages are on this machine."""
        return f"http://{bracketed(self.plain_host)}:{self.port}"

    @property
    def tls_urls(self) -> list[str]:
        """`https://HOST:PORT` when the system ends TLS itself."""
        return [f"https://{bracketed(self.host)}:{self.ports.tls}"] if self.tls.certificate else []

    @property
    def plain_host(self) -> str:
        """Where what is not encrypted listens: with a certificate of our own on this machine only."""
        return "127.0.0.1" if self.tls.certificate else self.host

    @property
    def public_url(self) -> str:
        """The origin for mails and anything cached: the first of `public_urls`, else `base_url`."""
        return self.public_urls[0].rstrip("/") if self.public_urls else self.base_url

    @property
    def sends_mails(self) -> bool:
        """Whether there is a way to mail people."""
        return bool(self.smtp_url or self.dev_mail or self.demo)

    @property
    def store_url(self) -> str:
        """Where the store is: `valkey_url`, or the embedded one's Unix socket (`unix://…`)."""
        return self.valkey_url or f"unix://{socket_path(self.data)}"

    @property
    def sql_url(self) -> str:
        """SQLAlchemy's URL with an async driver: `database_url`, or SQLite in DATA."""
        scheme, colon, rest = self.database_url.partition("://")
        if not colon:
            return f"sqlite+aiosqlite:///{self.data / 'livesale.db'}"
        drivers = {
            "postgresql": "postgresql+asyncpg",
            "postgres": "postgresql+asyncpg",
            "sqlite": "sqlite+aiosqlite",
        }
        return f"{drivers.get(scheme, scheme)}://{rest}"

    @property
    def recordings_folder(self) -> Path:
        """Where shows are recorded: `recordings.folder`, or a folder in DATA."""
        return Path(self.recordings.folder).expanduser().absolute() if self.recordings.folder else self.data / "recordings"

    @property
    def paysim_url(self) -> str:
        """Where the payment sandbox listens."""
        return f"http://{bracketed(self.host)}:{self.ports.paysim}"

    def key(self, name: str) -> bytes:
        """The bytes of `DATA/keys/NAME`; SettingsError when `livesale up` has not made it yet."""
        path = self.data / "keys" / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise SettingsError(
                f"{path} is missing; start the system once with: livesale up --data {self.data}"
            ) from None


def load_settings(data: Path | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    """The settings in force; `data` and `overrides` (dotted keys) win. SettingsError when one is unusable."""
    return read_settings(data, overrides)[0]


def read_settings(
    data: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """The settings and, for every dotted key, where its value came from."""
    variables = os.environ if environ is None else environ
    given = dict(overrides or {})
    if data is not None:
        given["data"] = str(data)
    layers = [("config/default.toml", _from_file(CONFIG / "default.toml"))]
    if named := variables.get(CONFIG_VARIABLE):
        layers.append((named, _from_file(Path(named))))
    layers += _from_environment(variables)
    layers.append(("option", given))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        for key, raw in layer.items():
            values[key] = _checked(key, raw, origin)
            origins[key] = origin
    _remembered_ports(values, origins)
    _consistent(values)
    return _built(values), origins


def variable_of(key: str) -> str:
    """The environment variable that sets `key`."""
    return PREFIX + key.upper().replace(".", "_")


@functools.cache
def schema() -> dict[str, Any]:
    """Every dotted key and its type."""
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            inner = get_type_hints(kind, include_extras=True)
            found.update({f"{name}.{field}": inner[field] for field in kind.__struct_fields__})
        else:
            found[name] = kind
    return found


def socket_path(data: Path) -> Path:
    """The embedded store's Unix socket: in DATA, by a short link in /tmp when its path would be too long."""
    direct = data / "valkey.sock"
    if len(os.fsencode(direct)) <= SOCKET_PATH_BYTES:
        return direct
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp") / f"livesale-{os.geteuid()}-{digest}" / "valkey.sock"


def bracketed(host: str) -> str:
    """`host` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _from_file(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    flat: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{field}": inner for field, inner in value.items()})
        else:
            flat[name] = value
    return flat


def _from_environment(variables: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """One layer for each variable, so that its name is the origin."""
    keys = {variable_of(key): key for key in schema()}
    layers: list[tuple[str, dict[str, Any]]] = []
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in _NO_SETTINGS:
            continue
        if name not in keys:
            raise SettingsError(
                f"{name} sets nothing{_nearest(name, keys)}; config/README.md lists every key"
            )
        layers.append((name, {keys[name]: variables[name]}))
    return layers


def _checked(key: str, raw: Any, origin: str) -> Any:
    kinds = schema()
    if key not in kinds:
        raise SettingsError(
            f"{origin}: there is no setting {key!r}{_nearest(key, kinds)}; config/README.md lists every key"
        )
    from_text = origin.startswith(PREFIX) and isinstance(raw, str)
    if from_text and kinds[key] == list[str]:
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    try:
        return msgspec.convert(raw, kinds[key], strict=not from_text, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{key} (from {origin}): {error}") from None


def _path(kind: type, raw: Any) -> Any:
    if kind is Path and isinstance(raw, str) and raw:
        return Path(raw).expanduser().absolute()
    raise ValueError("Expected a folder's path")


def _remembered_ports(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Ports nobody has set are the ones this DATA was given before."""
    path = values["data"] / "ports.json"
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    for key in (f"ports.{name}" for name in Ports.__struct_fields__):
        if values[key] == 0 and isinstance(kept.get(key), int):
            values[key] = kept[key]
            origins[key] = str(path)


def _consistent(values: dict[str, Any]) -> None:
    low, high = values["ice.udp_min"], values["ice.udp_max"]
    if (low == 0) != (high == 0) or low > high:
        raise SettingsError(
            f"ice.udp_min = {low} and ice.udp_max = {high} are no range; set both, the lower first"
        )
    if values["payments.provider"] == "stripe" and not (values["payments.secret"] and values["payments.webhook_secret"]):
        raise SettingsError("payments.provider = stripe needs payments.secret and payments.webhook_secret")
    for url in filter(None, [*values["hubs.upstreams"], values["hubs.public_url"]]):
        if not url.startswith(("ws://", "wss://")):
            raise SettingsError(f"hubs: {url!r} is no hub's address such as ws://10.0.0.5:8090")
    if bool(values["tls.certificate"]) != bool(values["tls.key"]):
        raise SettingsError("tls.certificate and tls.key: set both or none")
    for url in values["public_urls"]:
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"public_urls: {url!r} is no origin such as https://live.example.org")
    if values["smtp_url"] and not _SMTP_URL.match(values["smtp_url"]):  # it may hold a password: not repeated
        raise SettingsError("smtp_url is no address such as smtp://user:password@mail.example.org:587 (or smtps://)")
    if not _MAIL_ADDRESS.match(values["mail_from"]):
        raise SettingsError(f"mail_from: {values['mail_from']!r} is no mail address such as shop@example.org")


def _built(values: dict[str, Any]) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        table, dot, field = key.partition(".")
        if dot:
            tree.setdefault(table, {})[field] = value
        else:
            tree[key] = value
    return msgspec.convert(tree, Settings)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""
