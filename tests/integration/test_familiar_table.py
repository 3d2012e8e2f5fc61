"""The verbs, flags and outputs that kioku-mesh's users know: each line of their table, typed.

The table is data: what is typed, its exit code, and a pattern of what is printed. ``{id}`` is an
observation that was saved with every field, ``{short}`` the beginning of its id. What a verb does
is tested elsewhere; here it is that the words they know mean the same, letter by letter.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.cli_process import ROOT, environment, run, saved_id

COMMANDS = Path(sys.executable).parent

ID = r"[0-9a-f]{32}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
HEADLINE = rf"\[decision\]\[4\] {TIME} \(demo\) storage \(refs: a1, b2\)"
ENTRY = rf"{HEADLINE}\nin short <id={ID}>\n"
NONE = r"No matching memories\.\n"
COUNTS = r"(\w+: \w+\n)+"
UNKNOWN = "0123456789abcdef0123456789abcdef"


class Line(NamedTuple):
    """One line of the table."""

    typed: str
    out: str = ""
    code: int = 0


SAVE = [
    Line("save x", rf"saved: {ID}\n"),
    *(
        Line(f"save x {flags}", rf"saved: {ID}\n")
        for flags in (
            "-p demo",
            "--project demo",
            "-t a,b",
            "--tags a,b",
            *(f"--memory-type {t}" for t in "note decision bug pattern config summary".split()),
            *(f"--importance {n}" for n in range(1, 6)),
            "--subject s",
            "--summary s",
            "--source-files a.py,b.py",
            "--references a1,b2",
            "--supersedes {id}",
            "--supersedes {id},{short}",
        )
    ),
    Line("save", code=2),
    Line("save x --memory-type poem", code=2),
    Line("save x --importance 0", code=2),
    Line("save x --importance 6", code=2),
]

SEARCH = [
    Line("search", ENTRY),
    Line("search postgres", ENTRY),
    Line("search which database postgres", ENTRY),
    *(
        Line(f"search postgres {flags}", ENTRY)
        for flags in (
            "-p demo",
            "--project demo",
            "--agent-family family",
            "--client-id client",
            "--pc-id host",
            "--session-id session",
            "--since 2026-05-22",
            "--since 2026-05-22T07:51:47",
            "-n 5",
            "--limit 5",
            "--format text",
            "--search-mode and",
            "--search-mode or",
            "--search-mode and_or",
        )
    ),
    *(
        Line(f"search postgres {flags}", NONE)
        for flags in (
            "-p other",
            "--agent-family other",
            "--client-id other",
            "--pc-id other",
            "--session-id other",
            "--since 2999-01-01",
        )
    ),
    Line("search nothing", NONE),
    Line("search nothing --format json", r"\[\]\n"),
    Line("search postgres --format json", r"\[\n  \{(?s:.*)\}\n\]\n"),
    Line("search postgres --format markdown", rf"### {HEADLINE}\n\nChose Postgres(?s:.*)\n"),
    Line("search -n 0", code=2),
    Line("search --search-mode xor", code=2),
    Line("search --format yaml", code=2),
    Line("search --since yesterday", code=2),
]

ONE = [
    Line("get-memory {id}", r"(\w+: .+\n)+---\nChose Postgres over SQLite\n"),
    Line("get-memory {short}", r"(\w+: .+\n)+---\nChose Postgres over SQLite\n"),
    Line(f"get-memory {UNKNOWN}", code=1),
    Line("get-memory 012345", code=1),
    Line("get-memory 01234", code=2),
    Line("get-memory", code=2),
    Line("delete {id}", rf"deleted \(tombstone\): {ID}\n"),
    Line("delete {short}", rf"deleted \(tombstone\): {ID}\n"),
    Line("delete {id} -r 'no longer true'", rf"deleted \(tombstone\): {ID}\n"),
    Line("delete {id} --reason 'no longer true'", rf"deleted \(tombstone\): {ID}\n"),
    Line(f"delete {UNKNOWN}", code=1),
    Line("delete", code=2),
]

BULK = [
    *(
        Line(
            f"delete {flags} --yes",
            rf"deleted \(tombstone\): {ID}\ndeleted: 1 observation\n",
        )
        for flags in (
            "-p demo",
            "--project demo",
            "--pc-id host",
            "--since 2026-05-22",
            "--until 2999-01-01",
            "-p demo --pc-id host --since 2026-05-22 --until 2999-01-01",
        )
    ),
    Line("delete -p demo", code=1),  # nobody there to ask
    Line("delete -p demo --dry-run", rf"would delete \(tombstone\): {ID}\nwould delete: 1 .*\n"),
    Line("delete -p other --yes", r"deleted: 0 observations\n"),
]

STORE = [
    Line(
        "status",
        r"version: \S+\nbackend: \w+\n(?s:.*)pc_id: host\nsession_id: session\n"
        r"agent_family: family\nclient_id: client\nobservations: 1\n"
        r"observations_by_family \(family\): 1\n(?s:.*)mesh: off\nmesh_ready: no\n",
    ),
    Line("gc", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc --retention-days 30", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc --retention-days 0 --yes", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc -p demo", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc --project demo", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc --by-pc-id host", rf"erased: 0 versions\n{COUNTS}"),
    Line("gc --dry-run", rf"would erase: 0 versions\n{COUNTS}"),
    Line("gc --force-id {id}", rf"purged: {ID}\n"),
    Line("gc --force-id {short} --yes", rf"purged: {ID}\n"),
    Line(f"gc --force-id {UNKNOWN}", rf"purged: {ID} \(no local copy.*\)\n"),
    Line("gc --retention-days -1", code=2),
    Line("init", r"wrote /.*config\.toml\nnext: kioku save .*\n"),
    Line("init --mode local", r"wrote /.*\nnext: .*\n"),
    Line("init --mode localhost", r"wrote /.*\nnext: .*\n"),
    Line("init --force", r"wrote /.*\nnext: .*\n"),
    Line("init --out {home}/c.toml", r"wrote /.*/c\.toml\nnext: .*\n"),
    Line("init --print", r"(?s:.*)mode = \"local\"\n(?s:.*)"),
    Line("init --mode hub --listen 127.0.0.1", r"wrote /.*\nnext: kioku serve\n"),
    Line("init --mode hub --listen 192.0.2.1", code=2),  # listens beyond this machine: failure 12
    Line("init --mode hub --listen 192.0.2.1 --insecure", r"wrote /.*\nnext: kioku serve\n"),
    Line(
        "init --mode spoke --connect tcp/127.0.0.1:9 --connect 127.0.0.1:10",
        r"wrote /.*\nhub .*: no answer now; .*\nnext: kioku serve\n",
    ),
    Line(
        "init --mode hub --listen tcp/127.0.0.1:7447 --install-systemd --print",
        r"(?s:.*)ExecStart=/\S+ (-m kioku.cli )?serve\n(?s:.*)",
    ),
    Line("doctor", r"(\[PASS\] [\w -]+ - .+\n)+"),
    Line(
        "mcp install --client claude --name kioku -e K=V --dry-run --force",
        r"claude-code: would be registered\n  would (create|run).*\n(?s:.*)",
    ),
    Line("doctor --json", r"\{\n  \"version\": (?s:.*)\"ok\": true,(?s:.*)\n\}\n"),
]

# What needs credentials, or the agents' server: one line that says what it comes with.
LATER = [
    Line(typed, code=2)
    for typed in (
        "invite",
        "join 192.0.2.1",
    )
]

# Where nothing says how this machine takes part, one line says what would.
MESH = [
    Line("mesh start --listen 192.0.2.1", code=2),  # beyond this machine: failure 12
    Line("mesh join", code=2),
    Line("mesh join 'a b'", code=2),
    Line("serve", code=2),
    Line("sync", code=2),
    Line("peers", r"node: not running here; .+\nNo peers yet\.\n"),
    Line("peers forget nobody", code=1),
]

ADDED = [
    Line("list", ENTRY),
    Line("list -p demo --memory-type decision -t a --importance 3 --until 2999-01-01", ENTRY),
    Line("list --include-superseded --include-deleted", ENTRY),
    Line("search postgres --memory-type decision -t a --importance 3 --until 2999-01-01", ENTRY),
    Line("search postgres --include-superseded", ENTRY),
    Line("edit {id} --importance 5", rf"edited: {ID}\n"),
    Line("undelete {id}", code=1),  # it is not deleted
    Line("purge {id} --yes", rf"purged: {ID}\n"),
    Line("purge {id}", code=1),  # nobody there to ask
    Line("history {id}", rf"\[wins\] save {TIME}\.\d+ by \S+ seq \d+\n(  .+\n)+"),
    Line("export {home}/x", r"exported: 1 chunk, [\d,]+ bytes to /.*/x\n"),
    Line("import {home}/nothing", code=1),
    Line("backup {home}/x", r"backed up: 2 events, [\d,]+ bytes to /.*/x\ndigest: [0-9a-f]{64}\n"),
    Line("restore {home}/nothing", code=1),
    Line("diff --since 2999-01-01", r"No differences\.\n"),
    Line("drain", r"drained: 0 \(nothing waits: .+\)\n"),
    Line("backup {home}/b", r"backed up: 2 events, [\d,]+ bytes to /.*/b\ndigest: [0-9a-f]{64}\n"),
    Line("restore {home}/nothing", code=1),
    Line("projects", r"demo.*\n"),
    *(Line(f"completion {shell}", r"(?s:.+)\n") for shell in ("bash", "zsh", "fish")),
    Line("diff --since 2026-05-22", r"added: 1\n(  .+\n)+"),
    Line("list --as-of 2999-01-01", ENTRY),
    Line("drain", r"drained: 0 .*\n"),
    Line("drain --limit 5", r"drained: 0 .*\n"),
    Line("rebuild", r"rebuilt: 1 observation from 2 events\n"),
]

WHO = {
    "AGENT_FAMILY": "family",
    "CLIENT_ID": "client",
    "SESSION_ID": "session",
}


@pytest.fixture
def key(home: Path) -> str:
    """One observation with every field, saved by somebody known."""
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text('pc_id = "host"\n')
    flags = "-p demo -t a,b --memory-type decision --importance 4 --subject storage"
    flags += " --references a1,b2 --source-files a.py"
    summary = ["--summary", "in short"]
    content = "Chose Postgres over SQLite"
    return saved_id(content, *flags.split(), *summary, **who("KIOKU_"))


def who(prefix: str) -> dict[str, str]:
    """The variables that say who saves."""
    return {prefix + name: value for name, value in WHO.items()}


@pytest.mark.parametrize(
    "line",
    [*SAVE, *SEARCH, *ONE, *BULK, *STORE, *ADDED, *MESH, *LATER],
    ids=lambda line: line.typed,
)
def test_a_familiar_line_does_what_it_did(key: str, home: Path, line: Line) -> None:
    if line.typed.startswith("init") and "--out" not in line.typed:
        (home / "config" / "config.toml").unlink()
    typed = line.typed.format(id=key, short=key[:8], home=home)
    result = run(*shlex.split(typed), **who("KIOKU_"))
    assert result.code == line.code, result
    assert re.fullmatch(line.out, result.out), result.out
    said = result.err.splitlines()
    if line.code == 0:
        assert not said
    else:
        assert said[0].startswith("kioku: ")
        assert len(said) <= 2


@pytest.mark.parametrize("line", LATER, ids=lambda line: line.typed)
def test_what_comes_later_says_with_what_and_what_to_do_today(line: Line) -> None:
    problem, hint = run(*shlex.split(line.typed)).err.splitlines()
    assert re.search(r"comes? with (closed spaces|the MCP server)", problem)
    assert hint.startswith("hint: ")
    word = line.typed.split()[0]
    shown = run(word, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert "comes with" in shown.out


@pytest.mark.parametrize("prefix", ["KIOKU_", "KIOKU_MESH_", "MESH_MEM_"])
def test_the_environment_says_who_under_each_of_its_prefixes(prefix: str) -> None:
    saved = run("save", "x", "--json", **who(prefix)).json
    assert (saved["agent_family"], saved["client_id"]) == ("family", "client")
    assert saved["session_id"] == "session"


def test_the_newest_prefix_wins() -> None:
    variables = {"KIOKU_SESSION_ID": "a", "KIOKU_MESH_SESSION_ID": "b", "MESH_MEM_SESSION_ID": "c"}
    for name, value in (("KIOKU_", "a"), ("KIOKU_MESH_", "b"), ("MESH_MEM_", "c")):
        assert run("status", "--json", **variables).json["session_id"] == value
        del variables[f"{name}SESSION_ID"]


def test_space_and_config_are_read_from_the_environment(home: Path) -> None:
    (home / "mine.toml").write_text('space = "work"\n')
    assert run("status", "--json", KIOKU_CONFIG=str(home / "mine.toml")).json["space"] == "work"
    assert run("status", "--json", KIOKU_SPACE="play").json["space"] == "play"


@pytest.mark.parametrize(
    ("variables", "family"),
    [({"CLAUDECODE": "1"}, "claude"), ({"CODEX_SANDBOX": "seatbelt"}, "codex")],
    ids=["claude", "codex"],
)
def test_without_them_the_launcher_says_the_family(variables: dict[str, str], family: str) -> None:
    assert family in run("save", "x", "--json", **variables).json["agent_family"]


def test_the_older_names_of_the_state_directory_are_left_alone(home: Path) -> None:
    older = home / "older"
    older.mkdir()
    for name in ("KIOKU_MESH_STATE_DIR", "MESH_MEM_STATE_DIR"):
        assert run("save", "x", **{name: str(older)}).code == 0
    assert not list(older.iterdir())


@pytest.mark.parametrize("name", ["kioku", "kioku-mesh"])
def test_both_names_of_the_command_are_installed_and_the_same(name: str) -> None:
    done = subprocess.run(
        [COMMANDS / name, "save", "x"], capture_output=True, env=environment(), check=True
    )
    assert re.fullmatch(rf"saved: {ID}\n".encode(), done.stdout)


def test_failure_14_the_readmes_first_save_works_as_it_stands_there_and_doctor_passes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [first, *_] = re.findall(r"^(?:\S*/)?kioku save .*$", readme, re.MULTILINE)
    line = re.sub(r"^\S*kioku ", "kioku ", first)
    variables = environment(PATH=f"{COMMANDS}:/usr/bin:/bin")
    for command in ("kioku doctor", line, "kioku doctor", "kioku doctor --deep"):
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, env=variables, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), (command, done)
        assert b"[PASS] store" in done.stdout or b"saved: " in done.stdout
        assert b"[WARN]" not in done.stdout


def test_doctor_gives_1_for_a_warning_and_2_for_a_failure(home: Path) -> None:
    warned = run("doctor", MESH_MEM_BACKEND="x")
    assert warned.code == 1
    assert re.search(r"^\[WARN\] environment - .+\nhint: .+$", warned.out, re.MULTILINE)
    (home / "state").write_text("a file where the directory should be")
    failed = run("doctor")
    assert failed.code == 2
    assert re.search(r"^\[FAIL\] [\w -]+ - .+\nhint: .+$", failed.out, re.MULTILINE)
