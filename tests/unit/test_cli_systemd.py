"""Units for systemd: what stands in them is what was meant, whatever a path is made of."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from kioku.cli import systemd
from kioku.config import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def units(**environ: str) -> systemd.Units:
    variables = {"HOME": "/home/ada", **environ}
    return systemd.units(load_settings(variables), "/home/ada/c/config.toml", variables)


def variables_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Environment=")]


def test_only_what_the_environment_alone_says_is_written_down() -> None:
    assert variables_of(units().user_text) == ["Environment=KIOKU_CONFIG=/home/ada/c/config.toml"]
    assert "Environment=KIOKU_STATE_DIR=/s" in variables_of(units(KIOKU_STATE_DIR="/s").user_text)
    assert "Environment=XDG_DATA_HOME=/d" in variables_of(units(XDG_DATA_HOME="/d").system_text)
    assert len(variables_of(units(XDG_DATA_HOME="relative").user_text)) == 1


def test_the_users_unit_lies_where_systemd_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert units().user_path == "/home/ada/.config/systemd/user/kioku.service"
    assert units(XDG_CONFIG_HOME="/x").user_path == "/x/systemd/user/kioku.service"
    assert units().system_path == "/home/ada/c/kioku-system.service"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a b", 'Environment="KIOKU_STATE_DIR=/a b"'),
        ("/100%", "Environment=KIOKU_STATE_DIR=/100%%"),
        ('/a"b\\c', 'Environment="KIOKU_STATE_DIR=/a\\"b\\\\c"'),
        ("/$HOME", 'Environment="KIOKU_STATE_DIR=/$HOME"'),  # no variable is looked up there
        ("/記憶", "Environment=KIOKU_STATE_DIR=/記憶"),
    ],
)
def test_a_path_stays_the_path_that_it_is(path: str, written: str) -> None:
    assert written in variables_of(units(KIOKU_STATE_DIR=path).user_text)


def test_a_command_line_is_quoted_against_all_that_systemd_replaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(systemd, "program", lambda: ["/opt/my kioku/$x%/kioku"])
    assert 'ExecStart="/opt/my kioku/$$x%%/kioku" serve\n' in units().user_text


def test_the_program_is_the_one_that_runs_now() -> None:
    first = systemd.program()[0]
    assert os.path.isabs(first)
    assert os.access(first, os.X_OK)


def test_without_a_script_beside_it_the_interpreter_runs_the_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert systemd.program() == [str(tmp_path / "python"), "-m", "kioku.cli"]


def test_a_machine_without_systemd_is_told_what_to_do_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(systemd.NoSystemdError, match="no systemd runs here") as caught:
        systemd.require_systemd(str(tmp_path / "none"))
    assert "kioku serve" in caught.value.hint
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(systemd.NoSystemdError, match="systemctl"):
        systemd.require_systemd(str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    systemd.require_systemd(str(tmp_path))
