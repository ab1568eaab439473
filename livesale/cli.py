"""The commands of livesale: their names, options, examples and how an error reads; the work is in `apps/`.

Law: nothing heavy is imported before a command is chosen, so `livesale --help` answers at once.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from livesale import __version__
from livesale.kernel.refusals import Refusal
from livesale.settings import Settings, SettingsError, load_settings, read_settings, schema

ROLES = ("viewer", "host", "operator", "guardian", "advertiser")
_SECRET = ("secret", "password", "token")

Command = Callable[..., Any]


class _Commands(click.Group):
    """Commands in the order they are written, whose users' mistakes are one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head`: click ends quietly
            raise
        except (SettingsError, Refusal, OSError) as error:
            raise click.ClickException(_one_line(error)) from None
        except Exception as error:
            if line := _unreachable(error):
                raise click.ClickException(line) from None
            raise


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\n" + "\n".join(["Example:", *(f"  {line}" for line in lines)])


data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the system [default: ./var]."
)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("livesale up --demo", "livesale COMMAND --help"),
)
@click.version_option(__version__)
def cli() -> None:
    """Live shopping streams: on air from a browser, bought while the show runs."""


@cli.command(epilog=example("livesale up --port 9000 --data /srv/livesale --processes web=2,edge=2"))
@click.option("--demo", is_flag=True, help="Run a demo shop whose host is on air.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the pages [default: 8080; 0: a free one]."
)
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--processes", metavar="NAME=N,…", help="How many copies of a process to run.")
@click.option("--procfile", type=click.Path(path_type=Path), help="Run the processes of this file instead.")
@data_option
def up(data: Path | None, procfile: Path | None, demo: bool, **options: Any) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    given = {key: value for key, value in options.items() if value is not None}
    if demo:
        given |= {"demo": True, "dev_mail": True}
    settings, origins = read_settings(data, given)
    asked = frozenset(key for key, origin in origins.items() if not origin.endswith("ports.json"))
    shipped = Path(__file__).parent / "Procfile"
    sys.exit(_load("livesale.apps.up", "up")(settings, asked, procfile or shipped))


def _process(name: str, says: str) -> None:
    @cli.command(name, help=says, short_help=says, epilog=example(f"livesale {name} --data /srv/livesale"))
    @data_option
    def command(data: Path | None) -> None:
        process = importlib.import_module("livesale.apps.process")
        process.die_with_supervisor()
        settings = load_settings(data)
        if name == "store":
            _load("livesale.apps.store", "become_store")(settings)
        process.run_process(_load(f"livesale.apps.{name.partition('-')[0]}", "run"), name, settings)


_process("store", "One process: the embedded store (Valkey).")
_process("web", "One process: pages and API.")
_process("studio", "One process: video from hosts, and its hub.")
_process("edge", "One process: a hub fed by another hub.")
_process("worker", "One process: readers and deadlines.")
_process("paysim", "One process: the payment sandbox.")
_process("demo-host", "One process: the demo's host, on air.")


@cli.group(cls=_Commands, epilog=example("livesale user add --help"))
def user() -> None:
    """Accounts."""


@user.command(
    "add",
    epilog=example(
        "livesale user add --email ada@example.org --name Ada --role host --born 1990-05-17 --country DE"
    ),
)
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--born", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Counts as checked by you.")
@click.option("--country", required=True, metavar="CC", help="Two letters, such as DE.")
@click.option("--region", default="", metavar="SS", help="A state of it where majority differs, such as AL (US).")
@data_option
def user_add(data: Path | None, born: Any, **fields: Any) -> None:
    """Create an account without asking anything; prints its id."""
    birthday: date = born.date()
    click.echo(_call("livesale.apps.members", "user_add", load_settings(data), born=birthday, **fields))


@user.command("age", epilog=example("livesale user age ada@example.org --born 1990-05-17"))
@click.argument("email")
@click.option("--born", required=True, type=click.DateTime(["%Y-%m-%d"]), help="As a document says that you have seen.")
@data_option
def user_age(data: Path | None, email: str, born: Any) -> None:
    """Note an age that you have checked; prints the band, which is all that is kept. Audited."""
    birthday: date = born.date()
    click.echo(_call("livesale.apps.commands", "user_age", load_settings(data), email=email, born=birthday))


@cli.command(
    epilog=example("livesale token ada@example.org --days 7", "livesale token mum@example.org --fresh")
)
@click.argument("email")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is valid [default: 90].")
@click.option("--fresh", is_flag=True, help="Ten minutes, counts as a step-up, audited.")
@data_option
def token(data: Path | None, email: str, days: int | None, fresh: bool) -> None:
    """Print an API token for an account, alone on stdout."""
    if fresh and days:
        raise click.UsageError("--fresh is ten minutes; leave out --days")
    click.echo(
        _call("livesale.apps.members", "token", load_settings(data), email=email, days=days, fresh=fresh)
    )


@cli.group(cls=_Commands, epilog=example("livesale guardian link --help"))
def guardian() -> None:
    """Families."""


@guardian.command("link", epilog=example("livesale guardian link kid@example.org mum@example.org --verified"))
@click.argument("minor_email")
@click.argument("guardian_email")
@click.option(
    "--verified", is_flag=True, required=True, help="You have checked that they are family; audited."
)
@data_option
def guardian_link(data: Path | None, minor_email: str, guardian_email: str, verified: bool) -> None:
    """Link a minor to a guardian whom you have checked."""
    _say(_call("livesale.apps.commands", "guardian_link", load_settings(data), minor_email, guardian_email))


@cli.group(cls=_Commands, epilog=example("livesale feed import --help"))
def feed() -> None:
    """Product feeds."""


@feed.command(
    "import", epilog=example("livesale feed import products.xml --shop demo --owner ada@example.org")
)
@click.argument("source", metavar="FILE_OR_URL")
@click.option("--shop", required=True, help="Made if missing.")
@click.option("--owner", metavar="EMAIL", help="Who may run shows and sell for the shop.")
@data_option
def feed_import(data: Path | None, source: str, shop: str, owner: str | None) -> None:
    """Import a product feed; exit 1 only when nothing could be imported."""
    _exit(
        _call(
            "livesale.apps.commands",
            "feed_import",
            load_settings(data),
            source=source,
            shop=shop,
            owner=owner,
        )
    )


@cli.group(cls=_Commands, epilog=example("livesale show verify --help"))
def show() -> None:
    """Shows."""


@show.command("verify", epilog=example("livesale show verify 4k2c9x7m1q"))
@click.argument("show_id", metavar="SHOW")
@data_option
def show_verify(data: Path | None, show_id: str) -> None:
    """Derive stock, orders, money and commissions again from the show's log; exit 1 when they differ."""
    _exit(_call("livesale.ledger.verify", "main", load_settings(data), show_id))


@cli.command(epilog=example("livesale reconcile --data /srv/livesale"))
@data_option
def reconcile(data: Path | None) -> None:
    """Compare the payment provider's records with ours; print each difference and exit 1 when there is one."""
    _exit(_call("livesale.apps.commands", "reconcile", load_settings(data)))


@cli.group(cls=_Commands, epilog=example("livesale bench orders --buyers 200 --json"))
def bench() -> None:
    """Measure this machine."""


_BENCH_OPTIONS = {
    "viewers": "How many viewers watch.",
    "frame_bytes": "Size of a frame.",
    "frames_per_s": "Frames a second.",
    "seconds": "How long to measure.",
    "buyers": "How many buyers press the button.",
    "stock": "Units there are.",
    "joins_per_s": "Viewers that come in a second.",
    "slow": "Percent of the viewers who read too slowly.",
    "tls": "Who encrypts: the hub itself, or a proxy before it.",
    "mode": "How the viewer plays: as pages begin (without sound), with sound, or with the lowest delay.",
}


_BENCH_LIMITS: dict[str, click.ParamType[Any]] = {
    "slow": click.IntRange(0, 100),
    "mode": click.Choice(("mse", "sound", "webcodecs")),
    "tls": click.Choice(("own", "nginx", "caddy")),
}


def _bench(name: str, says: str, *options: str) -> None:
    @bench.command(name, help=says, short_help=says, epilog=example(f"livesale bench {name} --json"))
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
    @data_option
    def command(data: Path | None, as_json: bool, **given: Any) -> None:
        chosen = {key: value for key, value in given.items() if value is not None}
        _exit(_call(f"livesale.bench.{name}", "run", load_settings(data), chosen, as_json=as_json))

    for option in options:
        limits = _BENCH_LIMITS.get(option, click.IntRange(1))
        flag = "--" + option.replace("_", "-")
        command = click.option(flag, option, type=limits, help=_BENCH_OPTIONS[option])(command)


_bench("fanout", "One frame to many viewers.", "viewers", "frame_bytes", "frames_per_s", "seconds", "slow", "tls")
_bench("crowd", "Many viewers come; an edge is killed.", "viewers", "joins_per_s", "frame_bytes", "frames_per_s")
_bench("orders", "Many buyers, one offer.", "buyers", "stock", "seconds")
_bench("media", "From the host's picture to the viewer's.", "seconds", "mode")
_bench("join", "From opening the page to the first picture.", "viewers")


@cli.command(epilog=example("livesale doctor --data /srv/livesale"))
@data_option
def doctor(data: Path | None) -> None:
    """Check this machine, one line each; exit 1 when something fails."""
    _exit(_call("livesale.apps.doctor", "main", load_settings(data)))


@cli.command("settings", epilog=example("LIVESALE_PORT=9000 livesale settings"))
@data_option
def print_settings(data: Path | None) -> None:
    """Print each setting and where it came from."""
    settings, origins = read_settings(data)
    for key in schema():
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        click.echo(f"{key} = {_toml(_hidden(key, value))}  # {origins[key]}")


def main() -> None:
    """The `livesale` program."""
    cli(prog_name="livesale")


def _call(module: str, name: str, settings: Settings, /, *arguments: Any, **options: Any) -> Any:
    """Call `module`:`name`, in an event loop of its own when it is a coroutine function."""
    function = _load(module, name)
    if inspect.iscoroutinefunction(function):
        return asyncio.run(function(settings, *arguments, **options))
    return function(settings, *arguments, **options)


def _load(module: str, name: str) -> Command:
    found: Command | None = None
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    if found is None:
        raise SettingsError(f"this installation has no {module}:{name}")
    return found


def _exit(code: int | None) -> None:
    sys.exit(code or 0)


def _say(line: str | None) -> None:
    if line:
        click.echo(line)


def _one_line(error: Exception) -> str:
    text = error.detail if isinstance(error, Refusal) else str(error)
    if isinstance(error, Refusal) and error.code == "store_unavailable":
        text = "the store does not answer; is the system running? livesale up --data DIR"
    if isinstance(error, OSError) and error.filename and error.strerror:
        text = f"{error.filename}: {error.strerror}"
    return " ".join(text.split())


def _unreachable(error: Exception) -> str | None:
    """What a store or database that is not there means, by the library that says so."""
    library = type(error).__module__.partition(".")[0]
    first = " ".join(str(error).split())[:200]
    if library == "redis":
        return f"the store does not answer ({first}); is the system running? livesale up --data DIR"
    if library == "sqlalchemy" and type(error).__name__ in ("OperationalError", "ProgrammingError"):
        return f"the database is not ready ({first}); start the system once: livesale up --data DIR"
    return None


def _hidden(key: str, value: Any) -> Any:
    """`value` fit to be pasted into a bug report."""
    if not isinstance(value, str) or not value:
        return value
    return "(hidden)" if key.endswith(_SECRET) else re.sub(r"(?<=://)[^/@]*@", "(hidden)@", value)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


if __name__ == "__main__":
    main()
