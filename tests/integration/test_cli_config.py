"""``kioku config``: each setting, where it stands, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import Result, done, run

if TYPE_CHECKING:
    from pathlib import Path


def write(home: Path, text: str) -> str:
    """Write the config file, and give its path."""
    (home / "config").mkdir(exist_ok=True)
    path = home / "config" / "config.toml"
    path.write_text(text)
    return str(path)


def lines(result: Result) -> dict[str, str]:
    """What is said of each name."""
    return dict(line.split(": ", 1) for line in result.out.splitlines())


def test_each_setting_is_shown_with_where_it_stands(home: Path) -> None:
    path = write(home, 'durability = "normal"\ndetect_project = false\nclient_id = "from-file"\n')
    shown = done(
        "config",
        KIOKU_SPACE="work",
        MESH_MEM_CLIENT_ID="older",
        KIOKU_PROJECT="demo",
        CLAUDECODE="1",
        USER="ada",
    )
    host = lines(shown)["pc_id"].partition("  ")[0]
    assert (
        shown.out
        == f"""\
space: work  (environment KIOKU_SPACE)
project: demo  (environment KIOKU_PROJECT)
detect_project: false  (config file {path})
agent_family: claude  (launcher (CLAUDECODE))
client_id: older  (environment MESH_MEM_CLIENT_ID)
pc_id: {host}  (default)
session_id: none  (default)
durability: normal  (config file {path})
secrets: redact  (default)
mode: local  (default)
state_dir: {home}/state  (environment KIOKU_STATE_DIR)
config_path: {path}  (environment KIOKU_CONFIG)
"""
    )


def test_a_config_file_that_is_not_there_is_said_to_be_none(home: Path) -> None:
    assert lines(done("config"))["config_path"] == (
        f"{home}/config/config.toml  (environment KIOKU_CONFIG; no file is there)"
    )
    assert done("config", "--path").out == f"{home}/config/config.toml\n"
    assert done("config", "--path", "--json").json[0]["value"] == f"{home}/config/config.toml"


def test_showing_settings_creates_nothing(home: Path) -> None:
    done("config")
    done("config", "--json")
    assert not list(home.iterdir())


def test_json_has_the_same_as_the_lines() -> None:
    shown = done("config", "--json", KIOKU_SPACE="work").json
    assert shown[0] == {
        "name": "space",
        "value": "work",
        "source": "environment KIOKU_SPACE",
        "problem": "",
        "is_idle": False,
    }
    assert [one["name"] for one in shown] == list(lines(done("config")))
    assert {one["name"]: one["value"] for one in shown}["detect_project"] is True


def test_a_bad_value_is_shown_beside_the_good_ones() -> None:
    result = run("config", KIOKU_SPACE="A B", KIOKU_CLIENT_ID="me")
    assert result.code == 2
    assert lines(result)["space"] == "'A B'  (environment KIOKU_SPACE; cannot be used)"
    assert lines(result)["client_id"] == "me  (environment KIOKU_CLIENT_ID)"
    assert result.err.startswith("kioku: environment KIOKU_SPACE: 'A B' is not a space name")
    assert result.err.count("\n") == 1
    shown = run("config", "--json", KIOKU_SPACE="A B")
    assert shown.code == 2
    assert shown.json[0]["problem"] in shown.err


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("spaec = 'x'\nspace = 'work'", "spaec", "'x'"),
        ("durability = 3\nspace = 'work'", "durability", "'3'"),
        ("space = 'work'\ndetect_project = 'no'", "detect_project", "'no'"),
        ("pc_id = 'a/b'\nspace = 'work'", "pc_id", "'a/b'"),
    ],
)
def test_a_bad_line_of_the_file_is_shown_with_the_good_ones(
    home: Path, text: str, name: str, said: str
) -> None:
    path = write(home, text)
    result = run("config")
    assert result.code == 2
    assert f"{name}: {said}  (config file {path}; cannot be used)\n" in result.out
    assert lines(result)["space"] == f"work  (config file {path})"
    assert path in result.err


def test_a_file_that_is_no_toml_is_named_and_its_path_still_told(home: Path) -> None:
    path = write(home, "space =")
    result = run("config")
    assert result.code == 2
    assert "not TOML" in result.err
    assert lines(result)["space"] == "default  (default)"
    told = run("config", "--path")
    assert told.out == f"{path}\n"


def test_a_bad_value_that_another_covers_is_shown_too(home: Path) -> None:
    path = write(home, "space = 'A B'")
    result = run("config", KIOKU_SPACE="work")
    assert result.code == 2
    assert "space: work  (environment KIOKU_SPACE)\n" in result.out
    assert f"space: 'A B'  (config file {path}; cannot be used)\n" in result.out


def test_variables_that_change_nothing_are_named_and_their_values_kept_quiet() -> None:
    shown = done(
        "config",
        KIOKU_SAPCE="s3cret",
        MESH_MEM_BACKEND="s3cret",
        KIOKU_MESH_STATE_DIR="/s3cret",
        KIOKU_SPACE="work",
        MESH_MEM_SPACE="s3cret",
        ZENOH_CONNECT="s3cret",
        KIOKU_DEBUG="1",
    )
    idle = [line for line in shown.out.splitlines() if "changes nothing" in line]
    assert [line.partition(":")[0] for line in idle] == [
        "KIOKU_MESH_STATE_DIR",
        "KIOKU_SAPCE",
        "MESH_MEM_BACKEND",
        "MESH_MEM_SPACE",
        "ZENOH_CONNECT",
    ]
    assert "s3cret" not in shown.out


def test_nothing_in_a_value_commands_a_terminal(home: Path) -> None:
    path = write(home, '"\\u001b[2J" = "\\u001b[31m"\nspace = "\\u202e"')
    result = run("config", KIOKU_PROJECT="\x1b[2J", KIOKU_STATE_DIR="/a\x1b[2J")
    assert result.code == 2
    for text in (result.out, result.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert path in result.out
