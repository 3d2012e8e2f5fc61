"""No store is created on a network file system, by any command; and no ordinary save asks."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import SECONDS_MAX, Result, done, environment

if TYPE_CHECKING:
    from pathlib import Path

# The same command, on a machine whose table of mounts is this file.
_ELSEWHERE = """
import json, sys
from kioku.cli import main
from kioku.log import filesystem
filesystem.MOUNTS_PATH = sys.argv[1]
code = main(sys.argv[2:])
sys.exit(code)
"""
_MODULES = """
import json, sys
from kioku.cli import main
main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture
def mounts(home: Path, tmp_path: Path) -> Path:
    """A table of mounts by which the state directory lies on another machine."""
    table = tmp_path / "mounts"
    table.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {home}/state nfs4 rw 0 0\n")
    return table


def run(mounts: Path, *arguments: str) -> Result:
    command = [sys.executable, "-c", _ELSEWHERE, str(mounts), *arguments]
    found = subprocess.run(
        command, capture_output=True, env=environment(), timeout=SECONDS_MAX, check=False
    )
    return Result(found.returncode, found.stdout.decode(), found.stderr.decode())


@pytest.mark.parametrize("arguments", [["save", "words"], ["init"], ["list"], ["status"]])
def test_no_store_begins_on_a_network_file_system(
    home: Path, mounts: Path, arguments: list[str]
) -> None:
    result = run(mounts, *arguments)
    assert (result.code, result.out) == (1, "")
    error, hint = result.err.splitlines()
    assert error.startswith(f"kioku: {home}/state: lies on a network file system (nfs4)")
    assert hint == "hint: set KIOKU_STATE_DIR to a directory on a local disk"
    assert not list(home.iterdir())


def test_init_only_prints_where_it_would_refuse(mounts: Path) -> None:
    assert run(mounts, "init", "--print").code == 0


def test_a_store_that_is_there_already_can_be_read_and_moved_away(mounts: Path) -> None:
    done("save", "words")
    assert "words" in run(mounts, "list").out
    result = run(mounts, "doctor", "--json")
    assert result.code == 2
    [found] = [one for one in result.json["checks"] if one["status"] == "fail"]
    assert found["name"] == "filesystem"


def test_an_ordinary_save_asks_nothing_about_file_systems() -> None:
    done("save", "the first")
    command = [sys.executable, "-c", _MODULES, "save", "the second"]
    found = subprocess.run(command, capture_output=True, env=environment(), check=True)
    assert "kioku.log.filesystem" not in json.loads(found.stdout.splitlines()[-1])
