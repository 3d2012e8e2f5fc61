"""docs/cli.md and help: written from the program, complete, and current."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from kioku.cli import verbs
from kioku.cli.reference import reference
from tests.integration.cli_process import ROOT

NEEDS_NO_SPACE = {"schema", "spaces", "config", "completion", "mcp"}
PRINTS_NO_DATA = {"completion", "serve", "mesh"}


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


@pytest.mark.parametrize("name", verbs.MODULES)
def test_every_verb_says_what_it_takes_and_what_it_prints(name: str) -> None:
    verb = verbs.load(name)
    flags = {flag for argument in verb.arguments for flag in argument.flags}
    assert ("--space" in flags) == (name not in NEEDS_NO_SPACE)
    assert ("--json" in flags) == bool(verb.json) == (name not in PRINTS_NO_DATA)
    assert verb.output
    assert all(argument.help for argument in verb.arguments)


@pytest.mark.parametrize("name", verbs.MODULES)
def test_every_verb_has_an_example_and_shows_it_in_its_help(name: str) -> None:
    verb = verbs.load(name)
    shown = verb.help_text()
    assert f"kioku {name}" in shown.split("example:")[1]
    for argument in verb.arguments:
        assert all(flag in shown for flag in argument.flags if flag.startswith("-"))


@pytest.mark.parametrize("name", verbs.MODULES)
def test_every_example_is_understood(name: str) -> None:
    for command in commands(verbs.load(name).examples):
        assert verbs.load(command[0]).parse(command[1:]) is not None


def commands(examples: tuple[str, ...]) -> list[list[str]]:
    """The kioku commands in examples, as a shell would give them, without ``kioku``."""
    found = []
    for line in "\n".join(examples).replace("\\\n", " ").splitlines():
        for command in line.split("|"):
            words = shlex.split(command.partition(">")[0], comments=True)
            if words and words[0] == "kioku":
                found.append(words[1:])
    return found
