"""The command that is registered, over the layouts of those who install Python programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kioku.install import launcher
from kioku.install.errors import NoServerError

INTERPRETER = "/usr/bin/python3"


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def link(path: Path, target: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return str(path)


def test_the_link_on_path_is_preferred_and_not_followed(tmp_path: Path) -> None:
    """As ``uv tool``, pipx and Homebrew lay it out."""
    own = program(tmp_path / "Cellar/kioku/0.1/libexec/bin/kioku-mcp")
    stable = link(tmp_path / "my bin/kioku-mcp", own)
    found = launcher.command_of(own, INTERPRETER, f"{tmp_path}/none:{tmp_path}/my bin:/usr/bin")
    assert found == (stable,)


def test_another_kioku_on_path_is_not_ours(tmp_path: Path) -> None:
    own = program(tmp_path / "venv/bin/kioku-mcp")
    program(tmp_path / "other/kioku-mcp")
    assert launcher.command_of(own, INTERPRETER, f"{tmp_path}/other") == (own,)


def test_a_relative_entry_of_path_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(tmp_path / "venv/bin/kioku-mcp")
    monkeypatch.chdir(tmp_path / "venv/bin")
    assert launcher.command_of(own, INTERPRETER, f".:bin:{Path(own).parent}") == (own,)


def test_without_a_launcher_the_interpreter_runs_the_module() -> None:
    assert launcher.command_of("", INTERPRETER, "") == (INTERPRETER, "-P", "-m", "kioku.mcp")


def test_what_lies_in_the_cache_of_uv_is_refused_unless_a_link_stays(tmp_path: Path) -> None:
    own = program(tmp_path / "any/archive-v0/aB3/bin/kioku-mcp")
    with pytest.raises(NoServerError, match="uv tool install"):
        launcher.command_of(own, INTERPRETER, str(Path(own).parent))
    stable = link(tmp_path / "bin/kioku-mcp", own)
    assert launcher.command_of(own, INTERPRETER, f"{tmp_path}/bin") == (stable,)


def test_this_installation_wrote_a_launcher_that_is_there() -> None:
    own = launcher.installed_launcher()
    assert Path(own).name == "kioku-mcp"
    assert Path(own).parent == Path(sys.executable).parent


@pytest.mark.parametrize("missing", ["mcp", "ruamel"])
def test_a_kioku_without_the_extra_registers_nothing(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else 1)
    with pytest.raises(NoServerError, match=r"pip install 'kioku-log\[mcp\]'"):
        launcher.require_server()
