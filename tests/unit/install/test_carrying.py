"""The one executor: what a dry run shows, and what the clients' own commands did or did not do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kioku.install import carrying
from kioku.install.server import Server
from tests.unit.install.homes import COMMAND, SERVER
from tests.unit.install.test_planning import install, plan, registered

if TYPE_CHECKING:
    from tests.unit.install.homes import Home

SECRET = Server("kioku", COMMAND, {"TOKEN": "hunter2!", "KIOKU_SPACE": "team"})
# What Claude Code does with `mcp add NAME --scope user -e K=V … -- CMD ARGS`.
CLAUDE = """
words = sys.argv[1:]
assert words[:2] == ["mcp", "add"] and words[3:5] == ["--scope", "user"], words
assert sys.stdin.read() == "" and not sys.stdin.isatty()
assert os.environ["DISABLE_TELEMETRY"] == "1"
end = words.index("--")
pairs = dict(word.split("=", 1) for word in words[6:end:2])
entry = {"type": "stdio", "command": words[end + 1], "args": words[end + 2:], "env": pairs}
path = os.path.join(os.environ["HOME"], ".claude.json")
whole = json.load(open(path)) if os.path.exists(path) else {}
whole.setdefault("mcpServers", {})[words[2]] = entry
json.dump({**whole, "ran": True}, open(path, "w"))
"""


def test_a_client_s_own_command_adds_what_is_not_there(home: Home) -> None:
    home.program("claude", CLAUDE)
    before = home.write("claude-code", '{"history": [1]}').read_bytes()
    done = install(home, "claude-code", SECRET)
    assert done.lines[0] == (
        "ran: claude mcp add kioku --scope user -e 'TOKEN=***' -e KIOKU_SPACE=team -- "
        "'/opt/kioku mem/bin/kioku-mcp'"
    )
    assert registered(home, "claude-code") == SECRET
    assert json.loads(home.file("claude-code").read_text())["ran"]
    [copy] = done.copies
    with open(copy, "rb") as file:
        assert file.read() == before


def test_it_is_asked_for_nothing_but_adding(home: Home) -> None:
    home.program("claude", "raise SystemExit('not to be run')")
    entry = {"type": "stdio", "command": COMMAND[0], "args": [], "env": {}}
    home.write("claude-code", json.dumps({"mcpServers": {"kioku": entry}}))
    assert plan(home, "claude-code").summary == "already registered"
    done = install(home, "claude-code", SECRET, force=True)
    assert done.lines[0].startswith("edited ")
    assert registered(home, "claude-code") == SECRET


def test_the_edit_can_be_chosen(home: Home) -> None:
    home.program("claude", "raise SystemExit('not to be run')")
    assert install(home, "claude-code", by_file=True).lines[0].startswith("created ")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('All good!')", "exit 0, All good!; "),
        ("print('no such option', file=sys.stderr); sys.exit(2)", "exit 2, no such option; "),
        ("open(os.environ['HOME'] + '/.claude.json', 'w').write('{')", "is not valid JSON"),
    ],
)
def test_a_command_that_did_not_do_it_is_found_out(home: Home, body: str, reason: str) -> None:
    home.program("claude", body)
    done = install(home, "claude-code")
    if "JSON" in reason:
        assert "changed while it was being edited" in done.problem
        return
    assert reason in done.lines[0]
    assert done.lines[0].endswith("; its file was edited instead")
    assert registered(home, "claude-code") == SERVER


def test_a_command_that_never_ends_is_ended_with_all_that_it_started(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "SECONDS_MAX", 0.3)
    home.program(
        "claude",
        "import subprocess, signal\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "open(os.environ['HOME'] + '/child', 'w').write(str(child.pid))\nsignal.pause()",
    )
    done = install(home, "claude-code")
    assert "no end within" in done.lines[0]
    assert registered(home, "claude-code") == SERVER


@pytest.mark.parametrize("client", ["gemini-cli", "qwen-code"])
def test_a_program_that_takes_our_options_for_its_own_is_not_asked(home: Home, client: str) -> None:
    home.program("gemini", "raise SystemExit('not to be run')")
    home.program("qwen", "raise SystemExit('not to be run')")
    server = Server("kioku", ("/usr/bin/python3", "-P", "-m", "kioku.mcp"), {})
    assert install(home, client, server).lines[0].startswith("created ")


def test_a_dry_run_shows_a_difference_without_secrets_and_does_nothing(home: Home) -> None:
    other = '{"command": "x", "env": {"API": "other secret"}}'
    home.write("cursor", f'{{\n  "mcpServers": {{\n    "x": {other}\n  }}\n}}')
    before = home.files()
    done = carrying.preview(plan(home, "cursor", SECRET))
    text = "\n".join(done.lines)
    assert done.lines[0] == f"would edit {home.file('cursor')}"
    assert '+    "kioku": {' in text
    assert '"KIOKU_SPACE": "team"' in text
    assert '"TOKEN": "***"' in text
    assert "hunter2" not in text
    assert "other secret" not in text
    assert home.files() == before


def test_a_dry_run_shows_the_command_and_runs_nothing(home: Home) -> None:
    home.program("codex", "raise SystemExit('not to be run')")
    done = carrying.preview(plan(home, "codex-cli", SECRET))
    [line] = done.lines
    assert line == (
        "would run: codex mcp add kioku --env 'TOKEN=***' --env KIOKU_SPACE=team -- "
        "'/opt/kioku mem/bin/kioku-mcp'"
    )
