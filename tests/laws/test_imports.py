"""Who may import whom: this table is the house's plan. A room may know lower ones, never the reverse."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "livesale"

# The domains, lower first. A `model` and `events` may know those of domains as low or lower; the other files
# of a room know their own room, the store and every domain's rules, but not what another room does.
LEVEL = {
    **dict.fromkeys(("accounts", "catalog", "payments", "media", "hub"), 0),
    **dict.fromkeys(("shows", "guardians"), 1),
    "orders": 2,
    **dict.fromkeys(("affiliates", "ads", "notices"), 3),
    **dict.fromkeys(("ledger", "ops"), 4),
}
TOP = ("http", "apps", "bench", "cli")
# Files of a room that do something: another room's are not for calling, it reacts to facts instead.
PRIVATE = ("service", "routes", "reactions", "store")


# What a model returns is the store's word, and pure.
PURE_OF_STORE = "store.decision"


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "config" not in path.parts)


def imports(path: Path) -> set[str]:
    """Our own modules `path` imports, as `room.file…`, below functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = {name.removeprefix("livesale.") for name in found if name.startswith("livesale.")}
    real = {name for name in ours if _is_module(name)}
    return {name for name in real if not any(other.startswith(f"{name}.") for other in real)}


def _is_module(name: str) -> bool:
    place = PACKAGE.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or place.is_dir()


def fault(path: Path, target: str) -> str | None:
    """Why the file may not import `target`, or None."""
    here = path.relative_to(PACKAGE).with_suffix("").parts
    room, name = here[0], here[-1]
    there, _, rest = target.partition(".")
    file = rest.partition(".")[0]
    if room in TOP or room == "__init__":
        return None if there != "apps" or room in ("apps", "cli", "bench") else "nothing imports apps"
    if there == room or there == "kernel":
        return None if room != "kernel" or there == "kernel" else "the kernel imports nothing of ours"
    if room == "kernel":
        return "the kernel imports nothing of ours"
    if there in ("apps", "bench", "cli"):
        return f"nothing imports {there}"
    if name in ("model", "events"):
        if target == PURE_OF_STORE:
            return None
        lower = there in LEVEL and LEVEL[there] <= LEVEL[room] and file in ("model", "events")
        return None if lower else "a model knows the kernel and lower models and events only"
    if there == "settings" or there == "store":
        return None
    if there == "http":
        return None if name == "routes" else "only routes know HTTP"
    if name == "routes" and file == "service":
        return None
    if room in LEVEL and there in LEVEL:
        return f"the {file} of another room is its own" if file in PRIVATE and LEVEL[room] < 4 else None
    return f"{room} may not know {there}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports(path):
    """A file imports only what its place in the house allows."""
    faults = {target: why for target in sorted(imports(path)) if (why := fault(path, target))}
    assert not faults


def test_the_law_bites():
    """The table refuses what it is there to refuse."""
    refused = [
        ("kernel/ids.py", "store.database"),
        ("accounts/model.py", "accounts_x.model"),
        ("accounts/model.py", "store.database"),
        ("accounts/model.py", "orders.model"),
        ("orders/service.py", "accounts.service"),
        ("orders/model.py", "store.valkey"),
        ("orders/service.py", "apps.up"),
        ("orders/service.py", "http.app"),
        ("store/commit.py", "orders.model"),
        ("settings.py", "apps.up"),
    ]
    allowed = [
        ("orders/service.py", "accounts.model"),
        ("orders/model.py", "shows.events"),
        ("orders/routes.py", "http.problems"),
        ("orders/service.py", "store.commit"),
        ("apps/web.py", "orders.service"),
    ]
    assert [pair for pair in refused if fault(PACKAGE / pair[0], pair[1]) is None] == []
    assert [pair for pair in allowed if fault(PACKAGE / pair[0], pair[1]) is not None] == []
