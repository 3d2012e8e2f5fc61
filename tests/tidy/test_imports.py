"""Who may import what from outside, and who may read a clock or draw chance.

Who may import whom inside the package is import-linter's contract, in pyproject.toml.
"""

from __future__ import annotations

import ast
import fnmatch

import pytest

from tests.tidy.repository import Module, package_modules

# Who may import a driver. The running program counts: an annotation needs no driver.
OWNERS = {
    "apsw": (
        "kioku/log/*",
        "kioku/crdt/fold.py",
        "kioku/crdt/past.py",
        "kioku/view/*",
        "kioku/transaction.py",
        "kioku/audit.py",
    ),
    "cbor2": ("kioku/log/codec.py", "kioku/observation/*.py"),
    "cryptography": ("kioku/log/seal.py",),
    "platformdirs": ("kioku/config/sources.py",),
    "ruamel": ("kioku/install/yaml_text.py",),
    "rich": ("kioku/cli/screen.py", "kioku/cli/views.py", "kioku/cli/progress.py"),
    "zenoh": ("kioku/transport/zenoh_*.py",),
    "langgraph": ("kioku/adapters/langgraph.py",),
    "mcp": ("kioku/mcp/server.py",),
    "pydantic": ("kioku/mcp/*.py",),
}
# Costly to import, so only inside a function that needs it.
LAZY = ("cryptography", "platformdirs", "zenoh", "mcp", "ruamel")
# Is itself imported only by who needs its driver.
LAZY_ITSELF = ("kioku/mcp/server.py",)

# Where an operating system's clock and chance come in; everybody else takes them as arguments.
EDGES = (
    "kioku/memory/opening.py",
    "kioku/cli/*",
    "kioku/memory/following.py",  # waits between two looks; reads no date
    "kioku/doctor/place.py",  # how old a file is that was left over
    "kioku/node/node.py",  # gives the engine its clocks and its chance
    "kioku/log/database.py",  # waits for a lock by the monotonic clock; knows no date
)
CLOCKS_AND_CHANCE = ("time", "secrets", "uuid")
CALLS_OF_CLOCKS_AND_CHANCE = ("now", "utcnow", "today", "urandom", "SystemRandom")

# What opens nothing and starts nothing: the rules of the log and the law of the merge.
PURE = (
    "kioku/log/hlc.py",
    "kioku/log/event.py",
    "kioku/log/codec.py",
    "kioku/log/chunk.py",
    "kioku/log/frontier.py",
    "kioku/log/payload.py",
    "kioku/crdt/lww_set.py",
    "kioku/observation/*.py",
)
EFFECTS = ("apsw", "sqlite3", "os", "io", "pathlib", "shutil", "tempfile", "socket", "subprocess")
STARTERS = ("threading", "multiprocessing", "asyncio", "concurrent", "logging", "signal")


def _is_one_of(module: Module, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(module.path, pattern) for pattern in patterns)


def _attributes(module: Module) -> list[tuple[str, int]]:
    return [(n.attr, n.lineno) for n in ast.walk(module.tree) if isinstance(n, ast.Attribute)]


@pytest.mark.parametrize("driver", OWNERS)
def test_a_driver_is_imported_by_its_owners_alone(driver: str) -> None:
    strangers = [
        f"{module.path}:{found.line}"
        for module in package_modules()
        if not _is_one_of(module, OWNERS[driver])
        for found in module.imports()
        if found.top == driver and not found.for_types
    ]
    assert not strangers


def test_what_draws_for_a_person_is_imported_inside_functions_alone() -> None:
    """Rich costs more than a save, so no module that a save loads may reach it."""
    drawers = {"kioku.cli.screen", "kioku.cli.views"}
    eager = [
        f"{module.path}:{found.line}"
        for module in package_modules()
        for found in module.imports()
        if (found.name in drawers or found.name.rpartition(".")[0] in drawers)
        and not (found.in_function or found.for_types or module.path == "kioku/cli/views.py")
    ]
    assert not eager


@pytest.mark.parametrize("driver", LAZY)
def test_a_costly_driver_is_imported_inside_functions_alone(driver: str) -> None:
    eager = [
        f"{module.path}:{found.line}"
        for module in package_modules()
        if not _is_one_of(module, LAZY_ITSELF)
        for found in module.imports()
        if found.top == driver and not found.in_function and not found.for_types
    ]
    assert not eager


def test_only_the_edges_import_clocks_and_chance() -> None:
    readers = [
        f"{module.path}:{found.line} {found.name}"
        for module in package_modules()
        if not _is_one_of(module, EDGES)
        for found in module.imports()
        if found.top in CLOCKS_AND_CHANCE and not found.for_types
    ]
    assert not readers


def test_only_the_edges_ask_a_value_for_the_time_or_for_chance() -> None:
    readers = [
        f"{module.path}:{line} .{name}"
        for module in package_modules()
        if not _is_one_of(module, EDGES)
        for name, line in _attributes(module)
        if name in CALLS_OF_CLOCKS_AND_CHANCE
    ]
    assert not readers


def test_only_the_type_of_a_random_generator_is_used_below_the_edges() -> None:
    drawers = [
        f"{module.path}:{node.lineno}"
        for module in package_modules()
        if not _is_one_of(module, EDGES)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("random.")
    ]
    assert not drawers


def test_the_pure_modules_exist() -> None:
    paths = [module.path for module in package_modules()]
    assert not [pattern for pattern in PURE if not fnmatch.filter(paths, pattern)]


def test_the_pure_modules_open_and_start_nothing() -> None:
    effects = [
        f"{module.path}:{found.line} {found.name}"
        for module in package_modules()
        if _is_one_of(module, PURE)
        for found in module.imports()
        if found.top in (*EFFECTS, *STARTERS) and not found.for_types
    ]
    assert not effects


def test_the_pure_modules_are_not_asynchronous_and_open_no_file() -> None:
    effects = [
        f"{module.path}:{node.lineno}"
        for module in package_modules()
        if _is_one_of(module, PURE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
        or (isinstance(node, ast.Name) and node.id in {"open", "print", "input"})
    ]
    assert not effects


def test_the_public_package_is_imported_by_what_stands_on_it_alone() -> None:
    """Below the public API nobody imports it: ``from kioku import name`` names a module there."""
    inside = {module.path.split("/")[1].removesuffix(".py") for module in package_modules()}
    climbers = [
        f"{module.path}:{found.line} {found.name}"
        for module in package_modules()
        if not module.path.startswith(("kioku/cli/", "kioku/mcp/", "kioku/__init__"))
        for found in module.imports()
        if found.name == "kioku"
        or (found.name.startswith("kioku.") and found.name.split(".")[1] not in inside)
    ]
    assert not climbers
