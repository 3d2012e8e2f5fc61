"""``kioku context`` as it is run: by a person in a repository, and by a client's hook."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku.cli.hooking import CLIENTS, Start, read_start
from kioku.context.tokens import count_tokens
from tests.integration.cli_process import (
    COMMAND,
    SECONDS_MAX,
    assert_refused,
    done,
    environment,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "736848ea-e359-4f8c-9e44-7f2dea2ad9b1"


@pytest.fixture
def checkout(home: Path) -> Path:
    """A directory within a project that has two decisions, one of them in Japanese."""
    place = home / "checkout" / "src"
    place.mkdir(parents=True)
    (place.parent / ".kioku.toml").write_text('project = "acme/shop"\n')
    with kioku.open(agent_family="codex") as memory:
        memory.save("Chose Postgres over SQLite", project="acme/shop", memory_type="decision")
        memory.save("索引は一つだけにする", project="acme/shop", memory_type="decision")
        memory.save("Chose Redis", project="other", memory_type="decision")
    return place


def hooked(client: str, said: object, **variables: str) -> Any:
    """What a client's hook is answered: an object, or None if that is nothing."""
    result = done("context", "--hook", client, stdin=json.dumps(said), **variables)
    return json.loads(result.out) if result.out else None


def test_it_is_about_the_project_that_one_is_in(checkout: Path) -> None:
    out = done("context", cwd=checkout).out
    assert out.startswith('<kioku-context project="acme/shop">\n')
    assert "Postgres" in out
    assert "Redis" not in out
    assert "Redis" in done("context", "-p", "", cwd=checkout).out
    assert done("context", "-p", "other", cwd=checkout).out.count("\n- ") == 1
    found = done("context", "--json", cwd=checkout).json
    assert found["text"] + "\n" == out
    assert found["tokens"] == count_tokens(out)
    assert [note["importance"] for note in found["decisions"]["notes"]] == [2, 2]


def test_without_a_store_or_a_note_there_is_nothing_and_no_store(home: Path) -> None:
    assert done("context").out == ""
    assert done("context", "--json").json["decisions"] == {"has_more": False, "notes": []}
    assert hooked("claude-code", {"cwd": str(home), "session_id": SESSION}) is None
    assert done("context", "--space", "another").out == ""
    assert done("spaces", "--json").json == []
    done("save", "Only a note")
    assert done("context").out == ""


def test_the_budget_holds_in_any_locale(checkout: Path) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    full = done("context", cwd=checkout, **ascii_only).out
    assert "索引" in full
    tokens = count_tokens(full)
    assert done("context", "--budget", str(tokens + 10), cwd=checkout).out == full
    less = done("context", "--budget", str(tokens - 1), cwd=checkout).out
    assert 0 < count_tokens(less) < tokens
    assert done("context", "--budget", "0", cwd=checkout).out == ""
    assert_refused(run("context", "--budget", "-1"), 2, "no number of tokens")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_hook_is_answered_in_the_form_of_its_client(checkout: Path, client: str) -> None:
    answer = hooked(client, {"cwd": str(checkout), "session_id": SESSION, "source": "startup"})
    text = done("context", cwd=checkout).out.rstrip("\n")
    nested = {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}
    flat = {"cursor": {"additional_context": text}, "copilot-cli": {"additionalContext": text}}
    assert answer == flat.get(client, nested)


def test_a_hook_speaks_for_its_client(checkout: Path) -> None:
    """What Claude saved here before is its own; what Codex did is news to it, and not to Codex."""
    said = {"cwd": str(checkout), "session_id": SESSION}
    done("save", "Seen", "-p", "acme/shop", CLAUDECODE="1")
    done("save", "By Codex", "-p", "acme/shop", KIOKU_AGENT_FAMILY="codex")
    assert "By Codex" in json.dumps(hooked("claude-code", said))
    assert "By Codex" not in json.dumps(hooked("codex-cli", said))
    assert "By Codex" not in json.dumps(hooked("claude-code", said, KIOKU_AGENT_FAMILY="codex"))


def test_claudes_commands_save_under_the_sessions_id(checkout: Path) -> None:
    script = checkout / "env.sh"
    said = {"cwd": str(checkout), "session_id": SESSION}
    hooked("claude-code", said, CLAUDE_ENV_FILE=str(script))
    assert script.read_text() == f"export KIOKU_SESSION_ID='{SESSION}'\n"
    hooked("claude-code", {**said, "session_id": "a'; rm -rf /"}, CLAUDE_ENV_FILE=str(script))
    for name in ("KIOKU_SESSION_ID", "KIOKU_MESH_SESSION_ID"):  # somebody pinned another
        hooked("claude-code", said, CLAUDE_ENV_FILE=str(script), **{name: "mine"})
    assert script.read_text().count("\n") == 1
    inherited = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "of-another-terminal"}
    hooked("claude-code", said, CLAUDE_ENV_FILE=str(script), **inherited)
    assert script.read_text().count(SESSION) == 2


BROKEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "no JSON": (b"{", {}),
    "no UTF-8": (b"\xff\xfe", {}),
    "no object": (b"[1]", {}),
    "deep": (b"[" * 100_000, {}),
    "wrong kinds": (b'{"cwd": 1, "session_id": {}}', {}),
    "no directory": (b'{"cwd": "/nowhere\\u0000", "session_id": ""}', {}),
    "a bad config": (b"{}", {"KIOKU_CONFIG": "/dev/null/x\x01"}),
    "a bad space": (b"{}", {"KIOKU_SPACE": "NO"}),
    "a bad identity": (b"{}", {"KIOKU_SESSION_ID": "a/b"}),
    "no place for variables": (b'{"session_id": "a"}', {"CLAUDE_ENV_FILE": "/nowhere/x"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_hook_never_breaks_a_session(home: Path, case: str) -> None:
    data, variables = BROKEN[case]
    result = run("context", "--hook", "claude-code", stdin=data, **variables)
    assert (result.code, result.out) == (0, "")
    assert "Traceback" not in result.err


def test_a_hook_of_a_broken_store_or_an_unknown_client_is_silent(checkout: Path) -> None:
    result = run("context", "--hook", "nobody", cwd=checkout)
    assert (result.code, result.out) == (0, "")
    assert "nobody" in result.err
    state = os.environ["KIOKU_STATE_DIR"]
    with open(os.path.join(state, "default.db"), "r+b") as file:
        file.write(b"no store at all")
    result = run("context", "--hook", "claude-code", cwd=checkout, stdin="{}")
    assert (result.code, result.out) == (0, "")
    assert_refused(run("context", cwd=checkout), 1)


def test_a_hook_whose_input_never_ends_goes_by_itself(checkout: Path) -> None:
    """Its time is short here, so that the test's is."""
    code = "import kioku.cli.hooking as h, kioku.cli as c; h.SECONDS_MAX = 0.2; exit(c.main())"
    with subprocess.Popen(
        [COMMAND[0], "-c", code, "context", "--hook", "claude-code"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=checkout,
    ) as child:
        assert child.wait(SECONDS_MAX) == 0
        assert child.stdout is not None
        assert child.stdout.read() == b""


def test_a_client_that_leaves_its_end_open_is_answered(checkout: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "context", "--hook", "claude-code"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({"cwd": str(checkout), "x": {}}).encode() + b"\n")
        child.stdin.flush()
        assert b"Postgres" in child.stdout.read()
        assert child.wait(SECONDS_MAX) == 0


def test_a_hook_that_cannot_write_ends_well(checkout: Path) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*COMMAND, "context", "--hook", "claude-code"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=checkout,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert result.returncode == 0


def test_a_directory_and_an_id_are_all_that_is_read(tmp_path: Path) -> None:
    said = {"cwd": str(tmp_path), "sessionId": "s_1-a", "prompt": "x", "source": "clear"}
    assert read_start(json.dumps(said).encode()) == Start(str(tmp_path), "s_1-a")
    assert read_start(b'{"cwd": "relative", "session_id": "%s"}' % (b"a" * 129)) == Start(".", "")
