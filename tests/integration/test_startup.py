"""What starting kioku costs: a save is run by hooks, many times an hour, and waits for its imports.

Held by names, not by a stopwatch: a shared machine makes any timed assertion a lie.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kioku.cli import verbs

# Standard modules that cost a few milliseconds each, and that no save has a use for.
HEAVY = {"asyncio", "email", "http", "importlib.metadata", "logging", "socket", "ssl", "tomllib"}
# What no save and no search has a use for, and what costs both a fifth of their start.
NEEDLESS = {"dataclasses", "inspect", "hashlib"}
# Not there at all in a plain install, or wanted only where a log is begun or leaves.
COSTLY = {"cryptography", "mcp", "zenoh", "platformdirs", "click", "rich"}

_RUN = """
import json, sys
from kioku.cli import main
status = main(sys.argv[1:])
print(json.dumps([status or 0, sorted(sys.modules)]))
"""


def _modules_after(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    return set(modules)


@pytest.fixture(autouse=True)
def _log() -> None:
    """The first save begins the log and makes its key; what is looked at here comes after."""
    _modules_after("save", "the first")


def test_a_second_save_imports_no_driver_that_it_does_not_need() -> None:
    assert not _modules_after("save", "the second") & COSTLY


def test_a_search_imports_no_driver_that_it_does_not_need() -> None:
    assert not _modules_after("search", "first") & COSTLY


def test_no_command_of_one_machine_imports_what_the_mesh_needs() -> None:
    mesh = {"kioku.transport.zenoh_link", "kioku.transport.memory_link", "zenoh"}
    for command in (["save", "the second"], ["search", "first"], ["list"], ["status"]):
        assert not _modules_after(*command) & mesh


def test_where_a_mesh_is_set_up_neither_a_save_nor_a_search_loads_anything_of_it() -> None:
    _modules_after("init", "--mode", "hub", "--listen", "127.0.0.1")
    of_the_mesh = {"zenoh", "kioku.config.mesh", "kioku.node.node", "kioku.transport.session"}
    for command in (["save", "the second"], ["search", "first"]):
        loaded = _modules_after(*command)
        assert "tomllib" in loaded  # the file is there, and was read
        assert not loaded & of_the_mesh


def test_no_command_imports_the_schemas_to_do_its_work() -> None:
    for command in (["save", "the second"], ["list"], ["search", "first"]):
        assert "kioku.cli.schemas" not in _modules_after(*command)


def test_a_list_of_the_verbs_imports_no_verb() -> None:
    families = {f"kioku.cli.{module}" for module in verbs.MODULES.values()}
    for command in (["__complete", "fish", "kioku "], ["--help"]):
        assert not _modules_after(*command) & families


def test_a_save_imports_no_heavy_standard_module() -> None:
    assert not _modules_after("save", "the second") & HEAVY


def test_neither_a_save_nor_a_search_imports_what_makes_and_inspects_classes() -> None:
    for command in (["save", "the second"], ["search", "first"]):
        assert not _modules_after(*command) & NEEDLESS


def test_a_sessions_start_waits_for_no_module_that_it_does_not_need() -> None:
    loaded = _modules_after("context", "--project=")
    assert "kioku.context" in loaded
    assert not loaded & (COSTLY | HEAVY | NEEDLESS)


def test_importing_the_library_imports_no_costly_driver() -> None:
    code = "import json, sys, kioku; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(json.loads(done.stdout)) & COSTLY


_COLLECTOR = """
import gc, sys
from kioku.cli import main
before = gc.get_threshold(), gc.get_freeze_count()
main(sys.argv[2:]) if sys.argv[1] == "called" else main()
print(before == (gc.get_threshold(), gc.get_freeze_count()))
"""


def test_only_a_process_of_its_own_is_spared_the_collector() -> None:
    for how, is_untouched in (("called", True), ("list", False)):
        command = [sys.executable, "-c", _COLLECTOR, how, *(["list"] if how == "called" else [])]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == str(is_untouched)
