"""docs/cli.md and help: written from the program, complete, and current."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from kioku.cli import verbs
from kioku.cli.reference import OBSERVATION_FIELDS, reference
from tests.integration.cli_process import ROOT, done, saved_id

FAMILIAR = {
    "save": "-p --project -t --tags --memory-type --importance --subject --summary --source-files "
    "--references --supersedes",
    "search": "-p --project --agent-family --client-id --pc-id --session-id --since -n --limit "
    "--format --search-mode",
    "get-memory": "",
    "delete": "-r --reason -p --project --pc-id --since --until --dry-run --yes",
    "status": "",
    "gc": "--retention-days -p --project --by-pc-id --force-id --dry-run --yes",
    "init": "--mode --listen --connect --out --force --print --install-systemd",
    "doctor": "--json --deep",
    "list": "--until --include-superseded --include-deleted",
    "edit": "",
    "undelete": "",
    "purge": "",
    "history": "",
    "export": "",
    "import": "",
    "rebuild": "",
}


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference() + "\n", "docs/cli.md is old: make docs"


def test_the_module_prints_the_reference() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "kioku.cli.reference"],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    assert printed.stdout.decode() == reference() + "\n"


def test_every_familiar_verb_is_there_and_no_other() -> None:
    assert verbs.MODULES.keys() == FAMILIAR.keys()


@pytest.mark.parametrize("name", FAMILIAR)
def test_every_verb_has_its_familiar_flags_json_and_an_example(name: str) -> None:
    verb = verbs.load(name)
    flags = {flag for argument in verb.arguments for flag in argument.flags}
    assert {*FAMILIAR[name].split(), "--json", "--space"} <= flags
    assert verb.examples
    assert verb.output
    assert verb.json
    shown = verb.help_text()
    assert f"kioku {name}" in shown.split("example:")[1]
    for argument in verb.arguments:
        assert all(flag in shown for flag in argument.flags if flag.startswith("-"))
        assert argument.help


@pytest.mark.parametrize("name", FAMILIAR)
def test_every_example_is_understood(name: str) -> None:
    verb = verbs.load(name)
    text = "\n".join(verb.examples).replace("\\\n", " ")
    for line in text.splitlines():
        words = [word for word in line.split("|") if word.strip().startswith("kioku ")]
        for command in words:
            typed = shlex.split(command)
            assert verbs.load(typed[1]).parse(typed[2:]) is not None


def test_an_observation_in_json_has_the_documented_fields() -> None:
    key = saved_id("words")
    shown = done("get-memory", key, "--json").json
    assert shown.keys() == OBSERVATION_FIELDS.keys()
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "boolean": bool,
        "object": dict,
        "list of strings": list,
        "string or null": (str, type(None)),
    }
    for name, (kind, _) in OBSERVATION_FIELDS.items():
        assert isinstance(shown[name], kinds[kind]), name


def test_json_shapes_are_as_documented() -> None:
    key = saved_id("words")
    hit = done("search", "words", "--json").json[0]
    assert hit.keys() == OBSERVATION_FIELDS.keys() | {"score", "snippet", "is_substring"}
    [event] = done("history", key, "--json").json
    assert list(event) == [
        *("operation", "status", "why", "stamped_at", "replica", "log_id", "seq", "hash"),
        *("reason", "observation"),
    ]
    assert done("delete", key, "--json").json == {"deleted": [key], "dry_run": False}
    assert done("undelete", key, "--json").json["id"] == key
    assert done("edit", key, "new", "--json").json["content"] == "new"
    counts = done("gc", "--json").json
    assert list(counts) == [
        *("deleted", "expired", "beaten", "observations", "body_bytes", "dry_run"),
    ]
    purged = done("purge", key, "--yes", "--json").json
    assert purged == {"purged": key, "had_local_copy": True}
    assert done("rebuild", "--json").json.keys() == {"events", "observations"}
    assert done("init", "--json").json.keys() == {"wrote", "mode", "space", "next"}
    report = done("doctor", "--json").json
    assert list(report) == ["version", "ok", "worst_status", "checks"]
    assert {tuple(check) for check in report["checks"]} == {("name", "status", "summary", "hint")}
    status = done("status", "--json").json
    assert (status["mesh"], status["mesh_ready"]) == ("off", False)
    assert isinstance(status["observations_by_family"], dict)
