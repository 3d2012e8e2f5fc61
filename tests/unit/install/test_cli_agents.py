"""``kioku mcp`` as it is typed: which clients, what is said, and the exit code."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kioku.cli import main
from kioku.install import launcher
from kioku.install.clients import BY_HAND, CLIENTS
from tests.integration.json_output import assert_documented
from tests.unit.install.homes import COMMAND

if TYPE_CHECKING:
    from pathlib import Path


class Typed:
    """What came of a command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        assert_documented("mcp", self.out)
        return json.loads(self.out)


@pytest.fixture
def typed(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Types a command in an empty home, with nothing on ``PATH``."""
    monkeypatch.setenv("PATH", str(home / "programs"))
    monkeypatch.chdir(home)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "KIOKU_STATE_DIR", "KIOKU_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(launcher, "command", lambda environ: COMMAND)

    def type_it(line: str) -> Typed:
        code = main(["mcp", *line.split()])
        shown = capsys.readouterr()
        return Typed(code, shown.out, shown.err)

    return type_it


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real home directory, as the environment names it."""
    directory = tmp_path / "a home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    return directory


def test_without_a_client_it_says_which_are_here_and_what_to_type(home: Path, typed: Any) -> None:
    done = typed("install")
    assert (done.code, done.out) == (2, "")
    assert "none was found here" in done.err
    (home / ".cursor").mkdir()
    (home / ".codex").mkdir()
    done = typed("install")
    assert "found here: codex-cli, cursor" in done.err
    assert "hint: kioku mcp install --client codex-cli, or --all for all 2 of them" in done.err
    assert typed("uninstall").code == 2
    assert typed("install --all").code == 0


def test_a_broken_config_of_kioku_itself_hinders_no_registration(home: Path, typed: Any) -> None:
    (home / ".config" / "kioku").mkdir(parents=True)
    (home / ".config" / "kioku" / "config.toml").write_text("= broken")
    assert typed("install --client cursor -e KIOKU_SPACE=team").code == 0


def test_all_needs_one_client(typed: Any) -> None:
    assert typed("install --all").code == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("install --client nobody", "one of claude-code, claude-desktop"),
        ("install --client cursor --name ../x", "is no name of a server"),
        ("install --client cursor -e KEY", "write NAME=VALUE"),
        ("install --client cursor -e 1K=secret-value", "write NAME=VALUE"),
        ("install --client cursor -e KIOKU_SPACE=Not/One", "KIOKU_SPACE"),
        ("--json serve", "kioku mcp serve"),
        ("install extra", "unrecognized arguments"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_writes_nothing(
    home: Path, typed: Any, line: str, said: str
) -> None:
    done = typed(line)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "secret-value" not in done.err
    assert list(home.iterdir()) == []


def test_one_config_that_is_broken_stops_none_of_the_others(home: Path, typed: Any) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text("{")
    (home / ".codeium" / "windsurf").mkdir(parents=True)
    done = typed("install --all")
    assert done.code == 1
    assert "windsurf: registered\n  created " in done.out
    assert done.err.startswith("kioku: cursor: ")
    assert (home / ".cursor" / "mcp.json").read_text() == "{"
    told = typed("install --all --json")
    assert told.code == 1
    assert [(one["client"], one["result"]) for one in told.json["clients"]] == [
        ("cursor", "refused"),
        ("windsurf", "already registered"),
    ]


def test_one_file_that_is_broken_is_told_of_once(home: Path, typed: Any) -> None:
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text("{")
    done = typed("install --client gemini --hooks")
    assert (done.code, done.err.count("not valid JSON")) == (1, 1)
    assert len(typed("install --client gemini --hooks --json").json["clients"]) == 2


def test_a_client_can_be_named_in_any_of_the_usual_ways(home: Path, typed: Any) -> None:
    done = typed("install --client claude,codex --client gemini --client codex-cli --dry-run")
    assert [line for line in done.out.splitlines() if line[0] != " "] == [
        "claude-code: would be registered",
        "codex-cli: would be registered",
        "gemini-cli: would be registered",
    ]
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("client", BY_HAND)
@pytest.mark.parametrize("action", ["install", "uninstall"])
def test_a_client_that_starts_no_server_is_told_about(
    home: Path, typed: Any, client: str, action: str
) -> None:
    done = typed(f"{action} --client {client}")
    assert done.code == 0
    assert done.out.startswith(f"{client}: nothing to write\n  note: ")
    assert list(home.iterdir()) == []


def test_what_was_done_and_how_to_see_it_is_said(home: Path, typed: Any) -> None:
    done = typed("install --client cursor -e KIOKU_SPACE=team --name memory")
    assert done.out == (
        f"cursor: registered\n  created {home}/.cursor/mcp.json\n"
        "  note: Cursor was not found here; it is registered for when it comes\n"
        "  to check: look under Settings, MCP\n"
    )
    assert typed("install --client cursor --name memory").out == "cursor: already registered\n"
    assert typed("uninstall --client cursor").out == "cursor: not registered\n"
    assert typed("uninstall --client cursor --name memory").out.startswith("cursor: removed\n")


def test_the_extra_is_asked_for_before_anything_is_written(
    home: Path, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = typed("install --client cursor")
    assert done.code == 1
    assert "pip install 'kioku-log[mcp]'" in done.err
    assert list(home.iterdir()) == []


def test_the_list_says_what_each_client_starts(home: Path, typed: Any) -> None:
    typed("install --client cursor")
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(
        '[mcp_servers.mesh-mem]\ncommand = "/gone/mesh-mem-mcp"\n'
        '[mcp_servers.mesh-mem.env]\nA = "s"\n'
    )
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text("[]")
    (home / ".cursor" / ".git").mkdir()
    shown = typed("list")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[0] == (
        "codex-cli: older server: mesh-mem starts /gone/mesh-mem-mcp, which is not there "
        f"({home}/.codex/config.toml); kioku mcp install --client codex-cli --replace removes it"
    )
    assert lines[1].startswith("gemini-cli: unreadable: ")
    assert lines[2].startswith(f"cursor: registered: kioku starts {COMMAND[0]}, which is not")
    assert lines[3].startswith("not found here: claude-code, ")
    rows = typed("list --json").json
    assert {row["client"] for row in rows} == {client.name for client in CLIENTS}
    [old] = [row for row in rows if row["state"] == "older server"]
    assert (old["variables"], old["runs"]) == (["A"], False)


def test_the_list_shows_the_project_s_registrations_too(
    home: Path, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "repo" / ".git").mkdir(parents=True)
    (home / "repo" / "below").mkdir()
    monkeypatch.chdir(home / "repo" / "below")
    assert "others who share it need one" in typed("install --client vscode --project").out
    assert (home / "repo" / ".vscode" / "mcp.json").exists()
    assert "vscode (project): registered: kioku starts " in typed("list").out


def test_all_takes_back_what_the_project_has_of_clients_that_are_not_here(
    home: Path, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "repo" / ".git").mkdir(parents=True)
    monkeypatch.chdir(home / "repo")
    typed("install --client claude,vscode --project")
    listed = typed("list").out.splitlines()
    assert [line.partition(":")[0] for line in listed[:-1]] == [
        "claude-code (project)",
        "copilot-cli (project)",
        "vscode (project)",
    ]
    assert listed[-1].startswith("not found here: claude-desktop, codex-cli, ")
    assert "vscode" not in listed[-1]
    assert typed("uninstall --all --project").code == 0
    assert sorted(os.listdir(home / "repo")) == [".git", ".vscode"]
    assert list((home / "repo" / ".vscode").iterdir()) == []


def test_the_list_can_be_of_some_clients(typed: Any) -> None:
    assert typed("list --client cursor,zed").out == "not found here: cursor, zed\n"
    assert [row["client"] for row in typed("list --client claude --json").json] == ["claude-code"]
    assert typed("list --client nobody").code == 2


def test_the_list_and_a_removal_need_no_extra(
    home: Path, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("install --client cursor")
    (home / ".config" / "goose").mkdir(parents=True)
    (home / ".config" / "goose" / "config.yaml").write_text("extensions: {}\n")
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    lines = typed("list").out.splitlines()
    assert lines[0].startswith("cursor: registered")
    assert lines[1].startswith("goose: unreadable: ")
    assert typed("uninstall --client cursor").code == 0


def test_serve_passes_everything_on(typed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kioku.mcp.main", lambda arguments: 7 if "--help" in arguments else 0)
    assert typed("serve --tools agent --help").code == 7
