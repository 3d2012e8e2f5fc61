"""Hooks beside everybody else's: put in, found again, replaced, taken out, and nothing else."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku.cli.hooking import CLIENTS as ANSWERED
from kioku.install import hooks, json_text
from kioku.install.carrying import carry_out, preview
from kioku.install.clients import NAMES
from kioku.install.editing import JSON_LENIENT, JSON_WITH_COMMENTS
from kioku.install.json_items import append, remove
from kioku.install.plugins import DIRECTORY
from tests.unit.install.homes import COMMAND

if TYPE_CHECKING:
    from tests.unit.install.homes import Home

NOW = datetime(2026, 9, 21, tzinfo=UTC)
CLIENT = "claude-code"
LINE = hooks.command(CLIENT, COMMAND, {})


def file(home: Home, client: str = CLIENT) -> Path:
    return Path(hooks.HOOKS[client].file(home.place))


def install(home: Home, client: str = CLIENT, line: str = LINE) -> str:
    plan = hooks.installing(client, home.place, line)
    done = carry_out(plan, NOW)
    assert not done.problem
    return plan.summary


def uninstall(home: Home, client: str = CLIENT) -> str:
    plan = hooks.uninstalling(client, home.place)
    if plan is None:
        return "none"
    done = carry_out(plan, NOW)
    assert not done.problem
    return plan.summary


def test_every_client_that_has_a_hook_is_answered() -> None:
    assert ANSWERED.keys() == hooks.HOOKS.keys()
    assert ANSWERED.keys() <= set(NAMES)


@pytest.mark.parametrize("client", hooks.HOOKS)
def test_a_hook_comes_once_and_goes_without_a_trace(home: Home, client: str) -> None:
    before = home.files()
    assert preview(hooks.installing(client, home.place, LINE)).lines
    assert home.files() == before
    line = hooks.command(client, COMMAND, {})
    assert install(home, client, line) == "hook added"
    assert install(home, client, line) == "hook already there"
    value = json.loads(file(home, client).read_text())
    outer, event = hooks.HOOKS[client].path
    [item] = value[outer][event]
    assert line in json.dumps(item, ensure_ascii=False)
    assert json.loads(file(home, client).read_text()) == {
        **hooks.HOOKS[client].new,
        outer: {event: [item]},
    }
    assert uninstall(home, client) == "hook removed"
    kept = {name for name in home.files() if "kioku-copy" not in name}
    assert kept == set(before)
    assert uninstall(home, client) == "none"


THEIRS = {
    "another hook": """{
  "model": "opus",
  "hooks": {
    "SessionStart": [
      { "matcher": "startup", "hooks": [{ "type": "command", "command": "echo , ] } mine" }] }
    ],
    "Stop": []
  }
}
""",
    "one line": '{"hooks": {"SessionStart": [{"hooks": []}]}, "x": [1, 2]}',
    "an empty list": '{\n\t"hooks": {\n\t\t"SessionStart": []\n\t}\n}\n',
    "no hooks": '{\r\n    "theme": "dark"\r\n}\r\n',
    "a mark": '\ufeff{\n  "hooks": {"Stop": [{"hooks": []}]}\n}',
}


@pytest.mark.parametrize("case", THEIRS)
def test_what_others_have_there_stays_as_it_is(home: Home, case: str) -> None:
    before = THEIRS[case].encode()
    file(home).parent.mkdir()
    file(home).write_bytes(before)
    assert install(home) == "hook added"
    said = json.loads(file(home).read_text("utf-8-sig"))
    theirs = json.loads(before.decode("utf-8-sig"))
    assert said["hooks"]["SessionStart"][:-1] == theirs.get("hooks", {}).get("SessionStart", [])
    assert install(home) == "hook already there"
    assert uninstall(home) == "hook removed"
    after = json.loads(file(home).read_text("utf-8-sig"))
    theirs.get("hooks", {}).get("SessionStart") or theirs.get("hooks", {}).pop("SessionStart", None)
    assert after == {name: one for name, one in theirs.items() if one != {}}
    if theirs.get("hooks", {}).get("SessionStart"):
        assert file(home).read_bytes() == before


def test_a_hook_of_another_path_is_replaced_wherever_it_stands(home: Home) -> None:
    old = hooks.HOOKS[CLIENT].item("/old/kioku context --hook claude-code")
    last = {"hooks": [{"type": "command", "command": "echo last"}]}
    file(home).parent.mkdir()
    file(home).write_text(json.dumps({"hooks": {"SessionStart": [old, last]}}, indent=2))
    assert install(home) == "hook replaced"
    ours = hooks.HOOKS[CLIENT].item(LINE)
    assert json.loads(file(home).read_text()) == {"hooks": {"SessionStart": [last, ours]}}


def test_a_hook_that_shares_a_group_with_anothers_is_not_ours(home: Home) -> None:
    both = {"hooks": [{"type": "command", "command": c} for c in (LINE, "echo theirs")]}
    file(home).parent.mkdir()
    file(home).write_text(json.dumps({"hooks": {"SessionStart": [both]}}))
    before = home.files()
    assert uninstall(home) == "none"
    assert home.files() == before


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"hooks": []}', '{"hooks": {"SessionStart": {}}}', '{"a": 1, "a": 2}']
)
def test_a_file_that_is_not_understood_is_left_alone(home: Home, text: str) -> None:
    file(home).parent.mkdir()
    file(home).write_text(text)
    plan = hooks.installing(CLIENT, home.place, LINE)
    assert (plan.summary, plan.steps) == ("refused", ())
    assert str(file(home)) in plan.refusal
    assert uninstall(home) == "none"
    assert file(home).read_text() == text


def test_a_client_without_a_hook_says_what_to_do(home: Home) -> None:
    plan = hooks.installing("zed", home.place, LINE)
    assert (plan.summary, plan.steps) == ("no hook", ())
    assert "AGENTS.md" in plan.notes[0]


def test_the_command_is_one_that_a_shell_runs(tmp_path: Path) -> None:
    program = tmp_path / "a b" / "kioku"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$KIOKU_SPACE|$SECRET|$*"\n')
    program.chmod(0o755)
    told = {"KIOKU_SPACE": "it's", "SECRET": "x"}
    line = hooks.command(CLIENT, (str(program.with_name("kioku-mcp")),), told)
    said = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert said.stdout == "it's||context --hook claude-code\n"
    by_module = hooks.command(CLIENT, ("/usr/bin/python3", "-P", "-m", "kioku.mcp"), {})
    assert by_module == "/usr/bin/python3 -P -m kioku.cli context --hook claude-code"
    (tmp_path / "bin").mkdir()
    linked = tmp_path / "bin" / "kioku-mcp"  # alone there, as somebody may have linked it
    linked.symlink_to(program.with_name("kioku-mcp"))
    program.with_name("kioku-mcp").write_text("")
    assert hooks.command(CLIENT, (str(linked),), {}).startswith(f"'{program}'")
    assert hooks.is_ours(line, CLIENT)
    assert hooks.is_ours(by_module, CLIENT)
    assert not hooks.is_ours("/x/other context --hook claude-code", CLIENT)
    assert not hooks.is_ours("kioku context --hook cursor 'unclosed", CLIENT)


LISTS = [
    '{"a": [1]}',
    '{"a": [1, 2, 3]}',
    '{\n  "a": [\n    1,\n    2\n  ],\n  "b": "]"\n}\n',
    '{\n  // why\n  "a": [\n    1, // one\n    /* two */ 2 // last\n  ]\n}\n',
    '{"a": [\n\t{"x": [1, {"y": "}"}]}, "a,b"]}',
    '{\r\n  "a": [\r\n    1\r\n  ]\r\n}',
]


@pytest.mark.parametrize("text", LISTS)
def test_an_item_is_put_in_and_taken_out_and_no_other_byte(text: str) -> None:
    dialect, read = json_text.WITH_COMMENTS, JSON_WITH_COMMENTS.value
    items = read(text)["a"]
    longer = append(text, ("a",), {"new": True}, dialect)
    assert read(longer) == {**read(text), "a": [*items, {"new": True}]}
    assert remove(longer, ("a",), len(items), dialect) == text
    for index in range(len(items)):
        rest: Any = read(remove(longer, ("a",), index, dialect))
        assert rest["a"] == [*items[:index], *items[index + 1 :], {"new": True}]


def test_a_comma_at_the_end_of_a_list_stays_legal() -> None:
    text = '{\n  "a": [\n    1,\n    2,\n  ],\n}\n'
    longer = append(text, ("a",), 3, json_text.LENIENT)
    assert JSON_LENIENT.value(longer) == {"a": [1, 2, 3]}
    for index in range(3):
        shorter = remove(longer, ("a",), index, json_text.LENIENT)
        assert JSON_LENIENT.value(shorter)["a"] == [n for n in (1, 2, 3) if n != index + 1]


def test_the_plugin_says_what_the_hook_is_and_what_version_it_is_of() -> None:
    """What `claude plugin validate` says of it is asked in tests/clients."""
    plugin = Path(DIRECTORY) / CLIENT
    manifest = json.loads((plugin / ".claude-plugin" / "plugin.json").read_text())
    market = json.loads((plugin.parent / ".claude-plugin" / "marketplace.json").read_text())
    [listed] = market["plugins"]
    assert manifest["version"] == kioku.__version__
    assert listed["name"] == manifest["name"] == market["name"] == "kioku"
    assert (plugin.parent / listed["source"]).resolve() == plugin.resolve()
    [group] = json.loads((plugin / "hooks" / "hooks.json").read_text())["hooks"]["SessionStart"]
    [hook] = group["hooks"]
    assert hooks.is_ours(hook["command"].removesuffix(" || exit 0"), CLIENT)
    assert hook["timeout"] == hooks.SECONDS
    servers = json.loads((plugin / ".mcp.json").read_text())["mcpServers"]
    assert servers == {"kioku": {"type": "stdio", "command": "kioku-mcp", "args": []}}
    skill = (plugin / "skills" / "shared-memory" / "SKILL.md").read_text()
    assert skill.startswith("---\nname: shared-memory\ndescription: ")
