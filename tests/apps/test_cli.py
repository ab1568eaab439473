"""The commands: each explains itself with an example, wrong usage is exit 2, a mistake is one clear line."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from livesale.apps.keys import make_keys
from livesale.cli import cli
from livesale.settings import load_settings
from livesale.store.database import migrate

ROOT = Path(__file__).parents[2]
CONTRACT = [
    *("up", "store", "web", "studio", "edge", "worker", "paysim", "user add", "token", "guardian link"),
    *(
        "feed import",
        "show verify",
        "bench fanout",
        "bench orders",
        "bench media",
        "bench join",
        "doctor",
        "settings",
    ),
]


def every(group: click.Group, prefix: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[f"{prefix}{name}"] = command
        if isinstance(command, click.Group):
            found |= every(command, f"{prefix}{name} ")
    return found


def invoke(*words: str):
    return CliRunner().invoke(cli, list(words))


@pytest.fixture
def data(tmp_path):
    """A folder on which a system has run once."""
    make_keys(tmp_path)
    migrate(load_settings(tmp_path).sql_url)
    return str(tmp_path)


def test_contract():
    """Every promised command is there."""
    assert set(CONTRACT) <= set(every(cli))


@pytest.mark.parametrize("name", ["", *every(cli)])
def test_help_has_an_example(name):
    """Help says what a command does and shows how it is typed."""
    said = invoke(*name.split(), "--help")
    assert said.exit_code == 0
    assert re.search(rf"Example:\n +.*livesale {name}", said.output)


@pytest.mark.parametrize("name", CONTRACT)
def test_wrong_usage(name):
    """An option nobody knows is exit 2."""
    assert invoke(*name.split(), "--no-such-option").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        "up --port 70000",
        "user add --email a@b.c --name A --role king --born 2000-01-01 --country DE",
        "user add --email a@b.c --name A --role host --born 2001-02-29 --country DE",
        "guardian link kid@x.de mum@x.de",
        "token a@b.c --days 0",
        "token a@b.c --fresh --days 2",
        "bench orders --buyers none",
        "feed import products.xml",
    ],
)
def test_wrong_values(words):
    """A value that cannot be is exit 2 as well."""
    assert invoke(*words.split()).exit_code == 2


def test_help_is_quick():
    """Help loads none of the libraries the work needs."""
    heavy = ["aiohttp", "aiortc", "sqlalchemy", "redis", "av", "cryptography", "asyncpg"]
    program = f"import livesale.cli, sys; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert said.stdout == "[]\n"


def add(data: str, email: str = "Ada@example.org"):
    return invoke(
        *("user", "add", "--email", email, "--name", "Ada", "--role", "host"),
        *("--born", "1990-05-17", "--country", "DE", "--data", data),
    )


def test_user_and_token(data):
    """An account is made without a question; its token is alone on stdout."""
    added = add(data)
    assert (added.exit_code, len(added.stdout.strip())) == (0, 10)
    token = invoke("token", "ada@example.org", "--data", data)
    assert token.exit_code == 0
    assert token.stdout.startswith("ls1.")
    assert token.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("token nobody@example.org --data DATA", "There is no such account."),
        ("token nobody --data DATA", "email: that is no mail address"),
        ("token ada@example.org --data DATA/empty", "start the system once with: livesale up --data"),
        ("show verify aaaaaaaaaa --data DATA", "is the system running? livesale up --data DIR"),
        ("edge --data DATA", "hubs.upstreams is empty"),
        ("up --processes web=0 --data DATA", "processes: 'web=0'"),
        ("up --procfile DATA/none --data DATA", "No such file"),
    ],
)
def test_mistakes_are_one_line(data, words, says):
    """What a person can get wrong is told in one line on stderr, with exit 1 and no traceback."""
    said = invoke(*words.replace("DATA", data).split())
    assert said.exit_code == 1
    assert says in said.stderr
    assert said.stderr.count("\n") == 1


def test_second_account(data):
    """An address that has an account is told so."""
    add(data)
    again = add(data, "ada@EXAMPLE.org")
    assert (again.exit_code, again.stderr) == (1, "Error: There is already an account for ada@example.org.\n")


def test_database_not_ready(tmp_path):
    """Before the first start there is no database: said plainly."""
    make_keys(tmp_path)
    said = invoke("token", "ada@example.org", "--data", str(tmp_path))
    assert said.exit_code == 1
    assert "the database is not ready" in said.stderr


def test_nobody_reads_all_of_it():
    """`livesale settings | head -1` ends without a word."""
    words = f"'{sys.executable}' -m livesale.cli settings | head -1"
    said = subprocess.run(["sh", "-c", words], capture_output=True, text=True, cwd=ROOT, check=True)
    assert (said.stdout.count("\n"), said.stderr) == (1, "")


def test_doctor(data):
    """Doctor says a line for each check, and its exit code tells whether one failed."""
    said = invoke("doctor", "--data", data)
    verdicts = {line[6:21].strip(): line[:4].strip() for line in said.output.splitlines()}
    checks = "ports, clock, fsync, disk, open files, UDP, store, database, browser bundle, countries"
    assert set(verdicts) == set(checks.split(", "))
    assert {verdicts[name] for name in ("clock", "fsync", "UDP", "store", "database")} == {"ok"}
    assert said.exit_code == ("FAIL" in verdicts.values())
