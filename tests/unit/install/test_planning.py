"""What installing and uninstalling come to, for every client, over configs as people have them."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kioku.install import carrying, planning
from kioku.install.clients import BY_NAME, CLIENTS
from kioku.install.listing import rows
from kioku.install.plan import Write
from kioku.install.planning import Wish
from kioku.install.registry import standing
from kioku.install.server import Server
from tests.unit.install.homes import COMMAND, SERVER, Home

if TYPE_CHECKING:
    from kioku.install.carrying import Outcome
    from kioku.install.plan import Plan

NOW = datetime(2026, 11, 27, 19, 45, tzinfo=UTC)
NAMES = [client.name for client in CLIENTS]
OLD = {
    "command": "/usr/bin/python3",
    "args": ["-m", "mesh_mem.mcp_server"],
    "env": {"MESH_MEM_AGENT_FAMILY": "claude", "MESH_MEM_STATE_DIR": "/old", "ZENOH_CONNECT": "x"},
}


def plan(home: Home, client: str, server: Server = SERVER, **wish: object) -> Plan:
    return planning.installing(BY_NAME[client], home.place, server, Wish(**wish))  # type: ignore[arg-type]


def install(home: Home, client: str, server: Server = SERVER, **wish: object) -> Outcome:
    made = plan(home, client, server, **wish)
    return carrying.carry_out(made, NOW)


def uninstall(home: Home, client: str, name: str = "kioku", **wish: object) -> Outcome:
    made = planning.uninstalling(BY_NAME[client], home.place, name, Wish(**wish))  # type: ignore[arg-type]
    return carrying.carry_out(made, NOW)


def registered(home: Home, client: str, name: str = "kioku") -> Server | None:
    found = standing(BY_NAME[client], home.place, "user").named(name)
    return found.server if found else None


@pytest.mark.parametrize("client", NAMES)
def test_a_client_without_a_config_gets_one_and_loses_it_again(home: Home, client: str) -> None:
    before = home.files()
    server = Server("kioku", COMMAND, {"KIOKU_SPACE": "team"})
    assert not install(home, client, server).problem
    assert registered(home, client) == server
    assert home.file(client).stat().st_mode & 0o777 == 0o600
    assert plan(home, client, server).steps == ()
    assert plan(home, client, server).summary == "already registered"
    uninstall(home, client)
    assert home.files() == before


@pytest.mark.parametrize("client", [one.name for one in CLIENTS if one.project_file])
def test_a_project_s_config_is_its_own(home: Home, client: str) -> None:
    (home.work / ".git").mkdir()
    assert not install(home, client, scope="project").problem
    assert home.file(client, "project").is_relative_to(home.work)
    assert registered(home, client) is None


@pytest.mark.parametrize("client", [one.name for one in CLIENTS if not one.project_file])
def test_a_client_without_projects_says_so(home: Home, client: str) -> None:
    assert "no config of a project" in plan(home, client, scope="project").refusal


def test_the_home_directory_is_no_project(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.place = home.place._replace(directory=str(tmp_path))
    assert "is no project" in plan(home, "cursor", scope="project").refusal


def test_what_a_project_s_file_gives_away_is_said(home: Home) -> None:
    server = SERVER._replace(environ={"TOKEN": "hunter2", "KIOKU_SPACE": "team"})
    notes = plan(home, "cursor", server, scope="project").notes
    assert "whoever gets the file gets the values of TOKEN" in notes


def test_a_client_that_is_not_there_is_registered_for_later(home: Home) -> None:
    assert plan(home, "zed").notes == (
        "Zed was not found here; it is registered for when it comes",
    )
    home.write("zed", "{}")
    assert plan(home, "zed").notes == ()


def test_a_second_run_writes_nothing_and_keeps_no_copy(home: Home) -> None:
    home.write("cursor", '{"mcpServers": {}}')
    install(home, "cursor")
    before = home.files()
    done = install(home, "cursor")
    assert not done.has_changed
    assert home.files() == before
    assert sum(name.endswith(".kioku-copy") for name in before) == 1


def test_what_the_user_added_to_the_entry_is_no_difference(home: Home) -> None:
    entry = {"command": COMMAND[0], "env": {"K": "v"}, "timeout": 5, "disabled": True}
    home.write("windsurf", json.dumps({"mcpServers": {"kioku": entry}}))
    assert plan(home, "windsurf").summary == "already registered"


def test_another_entry_of_the_name_needs_force_and_keeps_what_its_user_added(home: Home) -> None:
    entry = {"command": "/old/kioku-mcp", "env": {"K": "v"}, "timeout": 5}
    file = home.write("windsurf", json.dumps({"mcpServers": {"kioku": entry}}, indent=4))
    before = file.read_bytes()
    refused = install(home, "windsurf")
    assert (
        "kioku starts kioku in another way (/old/kioku-mcp); --force replaces it" in refused.problem
    )
    assert file.read_bytes() == before
    assert not install(home, "windsurf", force=True).problem
    now = json.loads(file.read_text())["mcpServers"]["kioku"]
    assert now == {"command": COMMAND[0], "args": [], "env": {"K": "v"}, "timeout": 5}


def test_a_stranger_s_entry_of_the_name_gives_nothing_on(home: Home) -> None:
    entry = {"command": "other", "env": {"TOKEN": "secret"}, "disabled": True}
    file = home.write("windsurf", json.dumps({"mcpServers": {"kioku": entry}}))
    assert "is another server" in install(home, "windsurf").problem
    install(home, "windsurf", force=True)
    now = json.loads(file.read_text())["mcpServers"]["kioku"]
    assert now == {"command": COMMAND[0], "args": []}


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "kioku-mesh-mcp"},
        {"command": "/home/me/.local/bin/mesh-mem-mcp"},
        {"command": "uvx", "args": ["--from", "kioku-mesh", "kioku-mesh-mcp"]},
        {"command": "python", "args": ["-m", "kioku_mesh.mcp"]},
        {"command": "C:\\Tools\\kioku-mesh-mcp.exe"},
        OLD,
    ],
)
def test_the_older_server_is_named_and_replaced_when_asked(home: Home, entry: object) -> None:
    file = home.write("claude-desktop", json.dumps({"mcpServers": {"memory": entry, "x": {}}}))
    before = file.read_bytes()
    assert any("memory starts the older server" in n for n in plan(home, "claude-desktop").notes)
    done = install(home, "claude-desktop", replace=True)
    assert set(json.loads(file.read_text())["mcpServers"]) == {"x", "kioku"}
    [copy] = done.copies
    assert Path(copy).read_bytes() == before


def test_the_older_server_is_known_by_its_name_alone(home: Home) -> None:
    home.write("cursor", '{"mcpServers": {"mesh-mem": {"command": "/opt/x"}, "meshmemory": {}}}')
    old = standing(BY_NAME["cursor"], home.place, "user").old()
    assert [one.name for one in old] == ["mesh-mem"]


def test_the_alias_that_kioku_installs_is_not_the_older_server(home: Home) -> None:
    (home.programs / "kioku-mcp").write_text("")
    entry = {"command": str(home.programs / "kioku-mesh-mcp"), "env": {"MESH_MEM_CLIENT_ID": "me"}}
    home.write("cursor", json.dumps({"mcpServers": {"kioku": entry}}))
    assert "kioku starts kioku in another way" in plan(home, "cursor").refusal
    install(home, "cursor", force=True)
    assert registered(home, "cursor") == SERVER._replace(environ={"MESH_MEM_CLIENT_ID": "me"})


def test_replacing_carries_over_what_means_something(home: Home) -> None:
    home.write("cursor", json.dumps({"mcpServers": {"mesh-mem": OLD}}))
    made = plan(home, "cursor", replace=True)
    assert "not carried over from mesh-mem: MESH_MEM_STATE_DIR, ZENOH_CONNECT" in made.notes
    carrying.carry_out(made, NOW)
    assert registered(home, "cursor") == SERVER._replace(environ={"KIOKU_AGENT_FAMILY": "claude"})


def test_the_older_server_beside_ours_is_removed_alone(home: Home) -> None:
    install(home, "codex-cli")
    file = home.file("codex-cli")
    file.write_text(file.read_text() + '\n[mcp_servers.mesh_mem]\ncommand = "mesh-mem-mcp"\n')
    assert plan(home, "codex-cli", replace=True).summary == "rid of the older server"
    install(home, "codex-cli", replace=True)
    assert set(tomllib.loads(file.read_text())["mcp_servers"]) == {"kioku"}


def test_replacing_after_installing_does_what_the_note_said(home: Home) -> None:
    home.write("cursor", json.dumps({"mcpServers": {"mesh-mem": OLD}}))
    assert any("--replace removes it" in note for note in plan(home, "cursor").notes)
    install(home, "cursor")
    assert not install(home, "cursor", replace=True).problem
    assert registered(home, "cursor") == SERVER._replace(environ={"KIOKU_AGENT_FAMILY": "claude"})
    assert set(json.loads(home.file("cursor").read_text())["mcpServers"]) == {"kioku"}


def test_replacing_overwrites_no_variable_of_an_entry_of_ours(home: Home) -> None:
    ours = {"command": COMMAND[0], "args": [], "env": {"KIOKU_SPACE": "mine"}}
    home.write("cursor", json.dumps({"mcpServers": {"mesh-mem": OLD, "kioku": ours}}))
    server = SERVER._replace(environ={"KIOKU_SPACE": "other"})
    refused = plan(home, "cursor", server, replace=True).refusal
    assert f"kioku starts kioku with other variables ({COMMAND[0]}); --force replaces" in refused


@pytest.mark.parametrize(
    ("client", "data", "reason"),
    [
        ("claude-code", b'{"mcpServers": {}, // x\n}', "line 1: a comment"),
        ("claude-code", b'{"a": 1,}', "not valid JSON"),
        ("gemini-cli", b'{"a": 1,} // x', "not valid JSON"),
        ("cursor", b'{"mcpServers": []}', "its mcpServers is a list"),
        ("cursor", b'{"mcpServers": {"a": {}, "a": {}}}', "'a' twice"),
        ("cursor", b"[]", "not a JSON object"),
        ("cursor", b'{"a": NaN}', "not valid JSON"),
        ("cursor", b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        ("cursor", b"\xff\xfe{\x00}\x00", "not UTF-8"),
        ("codex-cli", b"a = 1\na = 2\n", "not valid TOML"),
        ("codex-cli", b"mcp_servers = 3\n", "its mcp_servers is no mapping"),
        ("codex-cli", b"mcp_servers = {x = {}}\n", "inline table"),
        ("goose", b"extensions:\n- a\n", "its extensions is a list"),
        ("goose", b"a: 1\na: 2\n", 'duplicate key "a"'),
        ("goose", b"a: 1\n---\nb: 2\n", "another document"),
    ],
)
def test_what_cannot_be_understood_is_left_alone(
    home: Home, client: str, data: bytes, reason: str
) -> None:
    file = home.write(client, data)
    before = home.files()
    done = install(home, client)
    assert reason in done.problem
    assert str(file) in done.problem
    assert home.files() == before
    assert uninstall(home, client).problem or home.files() == before


def test_a_directory_in_the_place_of_a_config_is_refused(home: Home) -> None:
    home.file("cursor").mkdir(parents=True)
    assert "it is a directory" in install(home, "cursor").problem


def test_uninstalling_leaves_another_server_of_the_name(home: Home) -> None:
    file = home.write("cursor", '{"mcpServers": {"kioku": {"url": "x"}}}')
    assert "is another server; --force" in uninstall(home, "cursor").problem
    assert not uninstall(home, "cursor", force=True).problem
    assert json.loads(file.read_text()) == {"mcpServers": {}}


def test_uninstalling_gives_back_the_very_bytes_unless_something_else_changed(home: Home) -> None:
    text = '{\n\t"theme": "dark" // mine\n}'
    file = home.write("zed", text)
    install(home, "zed")
    uninstall(home, "zed")
    assert file.read_text() == text
    install(home, "zed")
    file.write_text(file.read_text().replace("dark", "light"))
    uninstall(home, "zed")
    assert file.read_text() == text.replace('dark" //', 'light", //').replace(
        "\n}", '\n\t"context_servers": {}\n}'
    )


def test_the_plan_of_an_edit_holds_what_was_read(home: Home) -> None:
    file = home.write("cursor", "{}")
    [step] = plan(home, "cursor").steps
    assert isinstance(step, Write)
    assert (step.path, step.old) == (str(file), b"{}")


def test_a_project_s_file_that_two_clients_read_suits_both(home: Home) -> None:
    (home.work / ".git").mkdir()
    install(home, "claude-code", scope="project")
    assert home.file("copilot-cli", "project") == home.file("claude-code", "project")
    assert plan(home, "copilot-cli", scope="project").summary == "already registered"
    home.file("claude-code", "project").unlink()
    install(home, "copilot-cli", scope="project")
    assert plan(home, "claude-code", scope="project").summary == "already registered"


# What each client's own variable says, and where its config is then.
MOVED = [
    ("claude-code", "CLAUDE_CONFIG_DIR", ".claude.json"),
    ("codex-cli", "CODEX_HOME", "config.toml"),
    ("gemini-cli", "GEMINI_CLI_HOME", ".gemini/settings.json"),
    ("qwen-code", "QWEN_HOME", "settings.json"),
    ("copilot-cli", "COPILOT_HOME", "mcp-config.json"),
    ("opencode", "XDG_CONFIG_HOME", "opencode/opencode.jsonc"),
    ("goose", "XDG_CONFIG_HOME", "goose/config.yaml"),
    ("goose", "GOOSE_PATH_ROOT", "config/config.yaml"),
    ("zed", "XDG_CONFIG_HOME", "zed/settings.json"),
    ("vscode", "XDG_CONFIG_HOME", "Code/User/mcp.json"),
    ("vscode", "VSCODE_PORTABLE", "user-data/User/mcp.json"),
    ("claude-desktop", "XDG_CONFIG_HOME", "Claude/claude_desktop_config.json"),
]


@pytest.mark.parametrize(("client", "variable", "file"), MOVED)
def test_a_client_s_own_variable_is_followed(
    tmp_path: Path, client: str, variable: str, file: str
) -> None:
    home = Home(tmp_path, **{variable: str(tmp_path / "moved")})
    assert home.file(client) == tmp_path / "moved" / file
    relative = Home(tmp_path, **{variable: "moved"})
    assert relative.file(client) == Home(tmp_path).file(client)


@pytest.mark.parametrize(
    ("client", "platform", "file"),
    [
        (
            "claude-desktop",
            "darwin",
            "Library/Application Support/Claude/claude_desktop_config.json",
        ),
        ("claude-desktop", "win32", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("vscode", "darwin", "Library/Application Support/Code/User/mcp.json"),
        ("zed", "darwin", ".config/zed/settings.json"),
        ("zed", "win32", "AppData/Roaming/Zed/settings.json"),
        ("goose", "win32", "AppData/Roaming/Block/goose/config/config.yaml"),
    ],
)
def test_each_platform_keeps_it_elsewhere(
    tmp_path: Path, client: str, platform: str, file: str
) -> None:
    assert Home(tmp_path, platform).file(client) == tmp_path / file


def test_a_config_with_comments_is_edited_though_the_client_has_a_command(home: Home) -> None:
    home.program("codex", "raise SystemExit('not to be run')")
    file = home.write("codex-cli", '[mcp_servers.a]\ncommand = "b" # mine\n')
    made = plan(home, "codex-cli")
    assert made.notes[0] == "edited because `codex mcp add` would lose or move its comments"
    carrying.carry_out(made, NOW)
    assert file.read_text().startswith(
        '[mcp_servers.a]\ncommand = "b" # mine\n\n[mcp_servers.kioku]'
    )


def test_a_config_that_is_a_link_is_edited_for_some_commands_put_a_file_in_its_place(
    home: Home,
) -> None:
    home.program("qwen", "raise SystemExit('not to be run')")
    file = home.write("qwen-code", "{}")
    kept = file.rename(home.path / "qwen.json")
    file.symlink_to(kept)
    made = plan(home, "qwen-code")
    assert made.notes[0] == "edited because `qwen mcp add` may put a file in the place of the link"
    carrying.carry_out(made, NOW)
    assert file.is_symlink()
    assert "kioku" in json.loads(kept.read_text())["mcpServers"]


def test_a_command_of_the_client_s_is_not_run_over_what_is_read_only(home: Home) -> None:
    home.program("claude", "raise SystemExit('not to be run')")
    home.write("claude-code", "{}").chmod(0o444)
    made = plan(home, "claude-code")
    assert (made.steps, made.summary) == ((), "refused")
    assert "it is read-only; nothing was written" in made.refusal


def test_what_claude_code_keeps_for_one_directory_is_found_too(home: Home) -> None:
    """Where ``claude mcp add`` put the older server, unless it was told otherwise."""
    projects = {"/repo": {"mcpServers": {"mesh-mem": OLD, "x": {}}, "allowedTools": []}, "/y": 1}
    file = home.write("claude-code", json.dumps({"projects": projects}))
    assert plan(home, "claude-code").notes[0].startswith("mesh-mem starts the older server")
    found = [row for row in rows(home.place, "kioku") if row.state == "older server"]
    assert [(row.scope, row.name) for row in found] == [("/repo", "mesh-mem")]
    install(home, "claude-code", replace=True)
    now = json.loads(file.read_text())
    assert now["projects"] == {"/repo": {"mcpServers": {"x": {}}, "allowedTools": []}, "/y": 1}
    assert now["mcpServers"]["kioku"]["command"] == COMMAND[0]
