"""Settings: the defaults, the types and the page that explains them agree, and values win in order."""

import re
import tomllib

import pytest
from click.testing import CliRunner

from livesale.cli import cli
from livesale.settings import (
    CONFIG,
    SettingsError,
    load_settings,
    read_settings,
    schema,
    socket_path,
    variable_of,
)


def defaults() -> dict:
    flat = {}
    for name, value in tomllib.loads((CONFIG / "default.toml").read_text()).items():
        flat |= (
            {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
        )
    return flat


def rows() -> dict:
    table = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \| `([^`]*)` \| ([^|]+) \|$", (CONFIG / "README.md").read_text(), re.M
    )
    return {key: (unit.strip(), default, meaning.strip()) for key, unit, default, meaning in table}


def test_every_key_has_a_default_and_a_type():
    """No default hides in the code and none is without a type."""
    assert set(defaults()) == set(schema())


def test_every_key_is_explained():
    """The page has every key with unit, true default and meaning, and no other."""
    told = {key: tomllib.loads(f"value = {default}")["value"] for key, (_, default, _) in rows().items()}
    assert told == defaults()
    assert all(unit and meaning for unit, _, meaning in rows().values())


def test_variables_are_distinct():
    """No two keys share a variable."""
    assert len({variable_of(key) for key in schema()}) == len(schema())


def test_every_key_is_read():
    """No setting sets nothing: the code asks for each somewhere outside the file that loads them."""
    package = CONFIG.parent
    asked = "\n".join(path.read_text() for path in package.rglob("*.py") if path.name != "settings.py")
    unread = [key for key in schema() if not re.search(rf"\.{key.rpartition('.')[2]}\b", asked)]
    assert unread == []


def test_order(tmp_path):
    """The default, then the file, then the variable, then the option; each says where it came from."""
    chosen = tmp_path / "mine.toml"
    chosen.write_text('host = "::1"\nport = 1\nprobe_token = "t"\n[ice]\nloopback = false\n')
    environ = {"LIVESALE_CONFIG": str(chosen), "LIVESALE_PORT": "2", "LIVESALE_HOST": "0.0.0.0"}
    settings, origins = read_settings(tmp_path, {"host": "127.0.0.2"}, environ)
    assert (settings.log_level, settings.probe_token, settings.port) == ("info", "t", 2)
    assert (settings.host, settings.ice.loopback, settings.data) == ("127.0.0.2", False, tmp_path)
    assert [origins[key] for key in ("log_level", "probe_token", "port", "host")] == [
        "config/default.toml",
        str(chosen),
        "LIVESALE_PORT",
        "option",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "key", "meant"),
    [
        (
            "LIVESALE_PUBLIC_URLS",
            "https://a.example, https://b.example",
            "public_urls",
            ["https://a.example", "https://b.example"],
        ),
        ("LIVESALE_DEV_MAIL", "true", "dev_mail", True),
        ("LIVESALE_TRUSTED_PROXIES", "", "trusted_proxies", []),
    ],
)
def test_text_of_variables(variable, value, key, meant):
    """A variable's text becomes the key's type."""
    assert getattr(read_settings(environ={variable: value})[0], key) == meant


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"LIVESALE_PROT": "1"}, "LIVESALE_PROT sets nothing (did you mean LIVESALE_PORT?)"),
        ({"LIVESALE_PORT": "tcp://10.0.0.1:80"}, "port (from LIVESALE_PORT)"),
        ({"LIVESALE_PORT": "70000"}, "port (from LIVESALE_PORT)"),
        ({"LIVESALE_PAYMENTS_PROVIDER": "barter"}, "payments.provider (from LIVESALE_PAYMENTS_PROVIDER)"),
        ({"LIVESALE_CONFIG": "/nowhere.toml"}, "/nowhere.toml: No such file"),
        ({"LIVESALE_ICE_UDP_MIN": "5000"}, "ice.udp_min = 5000 and ice.udp_max = 0"),
        ({"LIVESALE_PUBLIC_URLS": "example.org"}, "public_urls: 'example.org'"),
        ({"LIVESALE_DATA": ""}, "data (from LIVESALE_DATA)"),
        ({"LIVESALE_SMTP_URL": "mail.example.org"}, "smtp_url is no address"),
        ({"LIVESALE_SMTP_URL": "http://me:s3cret@mail.example.org"}, "smtp_url is no address"),
        ({"LIVESALE_MAIL_FROM": "Shop <shop@example.org>"}, "mail_from: 'Shop <shop@example.org>'"),
        ({"LIVESALE_MAIL_FROM": "shop@example.org\r\nBcc: a@b"}, "mail_from:"),
    ],
)
def test_unusable_values_are_refused_in_one_line(environ, says):
    """A wrong key or value is refused with the key, where it stands and what is wrong."""
    with pytest.raises(SettingsError) as refused:
        read_settings(environ=environ)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_unknown_keys_in_a_file_are_refused(tmp_path):
    """A key that nobody knows is refused, in a table too, and a table in place of a value."""
    chosen = tmp_path / "mine.toml"
    for text, says in [
        ("prot = 1", "'prot' (did you mean port?)"),
        ("[ice]\nstunt = 1", "'ice.stunt'"),
        ("port = '1'", "port"),
    ]:
        chosen.write_text(text)
        with pytest.raises(SettingsError, match=re.escape(says)):
            read_settings(environ={"LIVESALE_CONFIG": str(chosen)})


def test_ports_are_remembered(tmp_path):
    """A port this DATA was given before is used again, unless one is set."""
    (tmp_path / "ports.json").write_text('{"ports.edge": 20001, "ports.studio": 20002}')
    settings, origins = read_settings(tmp_path, environ={"LIVESALE_PORTS_STUDIO": "20003"})
    assert (settings.ports.edge, settings.ports.studio) == (20001, 20003)
    assert origins["ports.edge"] == str(tmp_path / "ports.json")


def test_addresses(tmp_path):
    """Addresses are made from what is set, and an IPv6 host stands in brackets."""
    settings = load_settings(tmp_path, {"host": "::1", "database_url": "postgresql://u@h/d"})
    assert (settings.base_url, settings.public_url) == ("http://[::1]:8080", "http://[::1]:8080")
    assert settings.sql_url == "postgresql+asyncpg://u@h/d"
    assert load_settings(tmp_path).sql_url == f"sqlite+aiosqlite:///{tmp_path}/livesale.db"
    assert load_settings(tmp_path, {"public_urls": ["https://a.example/"]}).public_url == "https://a.example"


def test_long_folders_get_a_short_socket(tmp_path):
    """A socket's path fits the kernel's 108 bytes however deep DATA lies, and differs by DATA."""
    deep, deeper = tmp_path / ("d" * 120), tmp_path / ("e" * 120)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) != socket_path(deeper)


def test_printed_settings_hide_secrets(monkeypatch):
    """`livesale settings` can be pasted into a bug report, and names every key and its origin."""
    monkeypatch.setenv("LIVESALE_PAYMENTS_SECRET", "sk_1")
    monkeypatch.setenv("LIVESALE_SMTP_URL", "smtp://me:pw@mail.example:587")
    printed = CliRunner().invoke(cli, ["settings"]).output
    assert "sk_1" not in printed
    assert "pw" not in printed
    assert 'smtp_url = "smtp://(hidden)@mail.example:587"  # LIVESALE_SMTP_URL' in printed
    assert [line.split(" = ")[0] for line in printed.splitlines()] == list(schema())
