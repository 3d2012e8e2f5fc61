"""The commands of docs/five-machines.md run, on machines of their own; all of them can be typed.

In a block marked ``console`` a line ``NAME$ kioku …`` is typed on the machine NAME and the lines
below it, up to the next prompt, are how its output begins: ``…`` stands for anything, alone on a
line for any lines. ``NAME$ stop`` stops its node. 192.0.2.1 stands for the loopback.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from kioku.cli import verbs
from tests.integration.mesh import Machine, Mesh, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
STORY = DOCS / "five-machines.md"
PAGES = ("five-machines.md", "operations.md")
HUB = "192.0.2.1"
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(\w+)\$ (.*)$")


class Typed(NamedTuple):
    """What is typed, on which machine, and the lines that are shown below it."""

    machine: str
    command: str
    shown: list[str]


def story() -> list[Typed]:
    """Everything that five-machines.md types, in order."""
    found: list[Typed] = []
    for block in _CONSOLE.findall(STORY.read_text("utf-8")):
        for line in block.splitlines():
            prompt = _PROMPT.match(line)
            if prompt:
                found.append(Typed(prompt[1], prompt[2], []))
            else:
                found[-1].shown.append(line)
    return found


def pattern(shown: list[str], endpoint: str) -> re.Pattern[str]:
    """What the lines of a page stand for."""
    parts = []
    for line in shown:
        text = re.escape(line.replace(f"tcp/{HUB}:7447", endpoint))
        parts.append(r"(?:.*\n)*?" if line == "…" else text.replace("…", ".*") + r"\n")
    return re.compile("".join(parts))


class Stage:
    """The machines of the story; the hub's address becomes a port of the loopback."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._machines: dict[str, Machine] = {}
        self.endpoint = f"tcp/127.0.0.1:{free_port()}"

    def type(self, typed: Typed) -> str:
        """Type a command; gives what it printed."""
        machine = self._machine(typed.machine)
        words = shlex.split(typed.command.replace(HUB, self.endpoint))
        if words == ["stop"]:
            machine.end()
            return ""
        assert words.pop(0) == "kioku"
        if words == ["serve"]:
            machine.serve()
            before = len(machine.log)
            for line in typed.shown or ["… level with"]:
                text = line.strip("… ").replace(f"tcp/{HUB}:7447", self.endpoint)
                until(lambda: text in machine.log[before:], lambda: machine.log)  # noqa: B023
            return ""
        refused = bool(typed.shown) and typed.shown[0].startswith("kioku: ")
        result = machine.run(*words, code=1 if refused else 0)
        if words[0] == "init":
            path = machine.directory / "config" / "config.toml"
            path.write_text(f'pc_id = "{machine.name}"\n{path.read_text("utf-8")}', "utf-8")
        return result.err if refused else result.out

    def _machine(self, name: str) -> Machine:
        if name not in self._machines:
            self._machines[name] = self._mesh.machine(name)
        return self._machines[name]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Where the story is played; whatever was started is ended."""
    with Mesh(tmp_path) as mesh:
        yield Stage(mesh)


def test_five_machines_do_what_the_page_says(stage: Stage) -> None:
    for typed in story():
        said = stage.type(typed)
        if typed.command != "kioku serve":
            assert pattern(typed.shown, stage.endpoint).match(said), (typed, said)


def test_the_story_has_its_machines() -> None:
    assert {typed.machine for typed in story()} == {
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
    }
    assert len(story()) >= 20


def commands(page: str) -> list[str]:
    """Every line of ``kioku`` in the blocks of a page, without what a shell does to it."""
    found = []
    for block in _BLOCK.findall((DOCS / page).read_text("utf-8")):
        for line in block.splitlines():
            bare = re.sub(r"^(\w*\$ |sudo )", "", line.strip())
            if bare.startswith("kioku ") and not bare.startswith("kioku: "):
                found.append(re.split(r"\s{3,}|\s[|>#]", bare)[0])
    return found


@pytest.mark.parametrize("line", [line for page in PAGES for line in commands(page)], ids=str)
def test_every_command_of_the_pages_can_be_typed(line: str) -> None:
    _, verb, *words = shlex.split(line)
    verbs.load(verb).parse(words)
