"""Completion: what is offered at Tab, in real shells, whatever the store holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.cli.completion.verb import SHELLS, script
from kioku.suggestions import IDS_MAX, NAMES_MAX
from tests.integration.cli_process import done, run, save_many, saved_id
from tests.integration.shells import INSTALLED, shell

if TYPE_CHECKING:
    from pathlib import Path

# Each would do something if any shell took it for more than text.
HOSTILE = [
    "$(touch harmed)",
    "`touch harmed`",
    "x;touch harmed",
    "x|touch harmed",
    "x&touch harmed&",
    "x>harmed",
    "'; touch harmed; '",
    '"; touch harmed; "',
    'it\'s "both"',
    "a b  c",
    "back\\slash\\",
    "~",
    "~/x",
    "*",
    "{a..b}",
    "#no comment",
    "a=b:c@d",
    "host:owner/name",
    "!history",
    "[abc]?",
    "%h ${HOME} $HOME",
    "記憶 メモ:🧠",
    "=ls",
    "^x^y",
    "\u00a0nbsp"[1:],
]


def offered(line: str, **variables: str) -> list[str]:
    """What is offered for a line, without what it means."""
    return [text for text, _ in described(line, **variables)]


def described(line: str, **variables: str) -> list[tuple[str, str]]:
    """What is offered for a line, each with what it means."""
    lines = done("__complete", "fish", line, **variables).out.splitlines()
    pairs = [line.partition("\t") for line in lines[1:]]
    return [(text, meaning) for text, _, meaning in pairs]


# -- what is offered


def test_verbs_are_offered_with_what_they_do() -> None:
    pairs = dict(described("kioku "))
    assert pairs["save"] == "Save one observation"
    assert {"search", "config", "completion"} <= set(pairs)
    assert offered("kioku sa") == ["save"]
    assert offered("kioku help sa") == ["save"]
    assert offered("kioku-mesh sa") == ["save"]
    assert offered("KIOKU_SPACE=work /usr/bin/kioku sa") == ["save"]
    assert offered("kioku nothing ") == []
    assert offered("kioku mcp install --client c") == [
        "claude-code",
        "claude-desktop",
        "codex-cli",
        "copilot-cli",
        "cursor",
        "chatgpt-desktop",
    ]


def test_what_the_store_knows_is_offered() -> None:
    with kioku.open(agent_family="claude", client_id="me@box", session_id="s-1") as memory:
        memory.save("one", project="alpha", tags=["db", "infra", "data"])
        memory.save("two", project="beta gamma", tags=["db"])
        host = memory.statistics().host
    assert offered("kioku list -p ") == [".", "alpha", "beta gamma"]
    assert offered("kioku list --project=al") == ["--project=alpha"]
    assert offered("kioku list --pc-id ") == [host]
    assert offered("kioku gc --by-pc-id ") == [host]
    assert offered("kioku search --agent-family ") == ["claude"]
    assert offered("kioku search --client-id m") == ["me@box"]
    assert offered("kioku search --session-id ") == ["s-1"]
    assert offered("kioku search --session-id other,s") == ["other,s-1"]
    assert offered("kioku list -t ") == ["data", "db", "infra"]
    assert offered("kioku list -t db,") == ["db,data", "db,infra"]
    assert offered("kioku list -t db,data,i") == ["db,data,infra"]
    assert offered("kioku list --memory-type d") == ["decision"]
    assert offered("kioku save x --importance ") == list("12345")
    assert offered("kioku list --spa") == ["--space"]
    assert offered("kioku export x --format ") == ["cbor", "jsonl"]
    assert offered("kioku schema li") == ["list"]


def test_ids_are_offered_with_what_they_are_about() -> None:
    first = saved_id("a long content " * 20)
    second = saved_id("content", "--subject", "the\tsubject")
    assert described("kioku get-memory ") == [
        (second, "the subject"),
        (first, ("a long content " * 20)[:60].strip()),
    ]
    assert offered(f"kioku purge {first[:7]}") == [first]
    assert offered(f"kioku save x --supersedes {first},{second[:4]}") == [f"{first},{second}"]
    assert offered("kioku get-memory xyz") == []
    done("delete", first)
    assert offered("kioku get-memory ") == [second]
    assert described("kioku undelete ") == [(first, "deleted")]
    done("undelete", first)
    assert offered("kioku undelete ") == []


def test_spaces_are_offered_and_the_line_says_whose_values() -> None:
    saved_id("x", "-p", "at-home", "--space", "home")
    saved_id("x", "-p", "at-work", "--space", "work")
    assert offered("kioku list --space ") == ["home", "work", "all"]
    assert offered("kioku list --space home,") == ["home,work", "home,all"]
    assert offered("kioku save x --space ") == ["home", "work"]
    assert offered("kioku list --space work -p at") == ["at-work"]
    assert offered("kioku list --space=home,work -p at") == ["at-home"]
    assert offered("kioku list -p at", KIOKU_SPACE="home") == ["at-home"]


def test_files_are_left_to_the_shell() -> None:
    for line in (
        "import ",
        "export ",
        "backup ",
        "restore x",
        "init --out ",
        "save x --source-files ",
    ):
        assert done("__complete", "zsh", f"kioku {line}").out == "files\n"


def test_what_is_offered_is_bounded() -> None:
    names = [f"p{n:04}" for n in range(NAMES_MAX + 50)]
    with kioku.open(durability="normal") as memory:
        memory.save_many([{"content": name, "project": name, "tags": [name]} for name in names])
    assert offered("kioku list -p p") == names[:NAMES_MAX]
    assert offered("kioku list -p p024") == names[240 : NAMES_MAX + 50]
    assert offered("kioku list -t p") == names[:NAMES_MAX]
    assert len(offered("kioku get-memory ")) == IDS_MAX


def test_bash_is_told_what_ids_are_about_only_where_it_lists_them() -> None:
    save_many("one", "two")
    keys = offered("kioku get-memory ")
    inserted = done("__complete", "bash", "9", ":=", "kioku get-memory ").out
    assert inserted.splitlines()[1:] == keys
    listed = done("__complete", "bash", "63", ":=", "kioku get-memory ").out.splitlines()[1:]
    assert [line.split("  ")[0] for line in listed] == keys
    assert all(line.endswith(")") for line in listed)


# -- quiet, whatever is wrong


def test_no_store_is_created_and_nothing_is_said(home: Path) -> None:
    for line in ("list -p ", "get-memory ", "list -t a", "list --space ", "undelete "):
        out = done("__complete", "fish", f"kioku {line}").out
        assert out.splitlines()[1:] in ([], [".\tthe present one"], ["all\t" + ALL])
    assert not list(home.iterdir())


ALL = "every space that is not private"


@pytest.mark.parametrize("line", ["kioku list -p ", "kioku get-memory ", "kioku list --space "])
def test_what_is_broken_offers_nothing_and_says_nothing(home: Path, line: str) -> None:
    saved_id("x", "-p", "y")
    (home / "state" / "default.db").write_bytes(b"no store" * 1000)
    assert offered("kioku list -p y") == []
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("space = 3")
    assert offered(line) == []
    assert offered(line, KIOKU_STATE_DIR="\x1b") == []


@pytest.mark.parametrize(
    "arguments", [[], ["fish"], ["bash"], ["bash", "x"], ["other", "kioku "], ["fish", "kioku '"]]
)
def test_any_question_is_answered_with_exit_code_0(arguments: list[str]) -> None:
    result = run("__complete", *arguments)
    assert (result.code, result.err) == (0, "")
    assert run("__complete", b"fish", b"kioku list -p \xff\xfe").code == 0


def test_a_name_that_cannot_be_typed_is_not_offered() -> None:
    save_many("a", project="two\nlines")
    save_many("b", project="-p")
    save_many("c", project="fine")
    assert offered("kioku list -p ") == [".", "fine"]
    assert offered("kioku list --project=-") == ["--project=-p"]


def test_machines_that_were_met_are_offered_by_name() -> None:
    assert offered("kioku peers forget ") == []
    with kioku.open() as memory:
        memory.replica.note_peer(b"p" * 16, machine="attic", role="hub", version="1", now_ms=1)
    assert offered("kioku peers forget a") == ["attic"]
    assert offered("kioku export x --since-peer ") == ["attic"]


def test_fish_is_not_offered_what_it_takes_for_a_home_directory() -> None:
    save_many("a", project="~x")
    assert offered("kioku list -p ~") == []
    assert done("__complete", "zsh", "kioku list -p ~").out == "words\n~x\t\n"


def test_completing_options_needs_no_driver(home: Path) -> None:
    """The cheaper half of all Tabs opens nothing; the other half does not pay for observations."""
    saved_id("x", "-p", "y")
    program = (
        "import json, sys; from kioku.cli import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted(sys.modules)))"
    )
    for line, absent in (
        ("kioku list --", {"apsw", "cbor2", "kioku.config"}),
        ("kioku list -p ", {"cbor2", "dataclasses", "kioku.memory", "kioku.observation"}),
    ):
        shown = subprocess.run(
            [sys.executable, "-c", program, "__complete", "fish", line],
            capture_output=True,
            check=True,
        )
        assert not set(json.loads(shown.stdout.splitlines()[-1])) & absent


# -- the scripts


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_is_printed_as_it_is_tested(name: str) -> None:
    assert done("completion", name).out == script(name)


@pytest.mark.parametrize("name", SHELLS)
def test_a_script_evaluates_nothing_and_asks_quietly(name: str) -> None:
    text = script(name)
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for word in ("eval", "compgen", "$(kioku", "`"):
        assert word not in code
    assert code.count("command kioku __complete " + name) == 1
    assert code.count("2>/dev/null </dev/null)") == 1


@pytest.mark.parametrize("name", INSTALLED)
def test_a_script_is_sound_in_its_shell(home: Path, name: str) -> None:
    path = home / f"script.{name}"
    path.write_text(script(name))
    checked = subprocess.run([name, "-n", str(path)], capture_output=True, check=True)
    assert checked.stderr == b""


def test_another_shell_is_refused() -> None:
    assert run("completion", "tcsh").code == 2


# -- in real shells


@pytest.mark.parametrize("name", INSTALLED)
def test_a_hostile_name_is_inserted_as_text_and_does_nothing(home: Path, name: str) -> None:
    """The only session of a store is offered at once: in no quotes, in either kind, and begun."""
    with shell(name, home) as opened:
        for number, value in enumerate(v for v in HOSTILE if (name, v[0]) != ("fish", "~")):
            space = f"s{number}"
            with kioku.open(space=space, session_id="fixed") as memory:
                memory.save("x", session_id=value)
            for before in ("", "'", '"'):
                typed = f"kioku list --space {space} --session-id {before}\t"
                given = opened.given(typed)
                assert given == ["list", "--space", space, "--session-id", value], typed
    assert not list(home.rglob("*harmed*"))


@pytest.mark.parametrize("name", INSTALLED)
def test_tab_completes_verbs_options_lists_and_begun_words(home: Path, name: str) -> None:
    with kioku.open() as memory:
        kept = memory.save("x", project="my project:one", tags=["alpha", "beta"])
    (home / "a file").write_text("")
    with shell(name, home) as opened:
        assert opened.given("kioku hist\t") == ["history"]
        assert opened.given("kioku list --include-s\t") == ["list", "--include-superseded"]
        assert opened.given(f"kioku get-memory {kept.id[:5]}\t") == ["get-memory", kept.id]
        assert opened.given("kioku list -t alpha,b\t") == ["list", "-t", "alpha,beta"]
        assert opened.given("kioku import a\t") == ["import", "a file"]
        for begun in ("my\\ pro", "'my pro", '"my pro', "my\\ project:o", "my"):
            given = opened.given(f"kioku list -p {begun}\t")
            assert given == ["list", "-p", "my project:one"], begun
        given = opened.given("kioku list --project=my\t")
        assert given == ["list", "--project=my project:one"]
        given = opened.given("true; KIOKU_SPACE=default kioku list -p my\t")
        assert given == ["list", "-p", "my project:one"]


@pytest.mark.parametrize("name", INSTALLED)
def test_a_broken_store_says_nothing_at_the_prompt(home: Path, name: str) -> None:
    saved_id("x")
    (home / "state" / "default.db").write_bytes(b"no store" * 1000)
    with shell(name, home) as opened:
        assert opened.given("kioku list -p x\ty") == ["list", "-p", "xy"]
        assert "kioku:" not in opened.shown


def test_bash_is_always_here() -> None:
    assert shutil.which("bash")
    assert "bash" in INSTALLED
