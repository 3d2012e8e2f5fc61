"""What docs/agents.md types runs, in its order, in terminals that keep their variables.

In a block marked ``console`` a line ``NAME$ …`` is typed into a shell of that terminal, and the
lines below it, up to the next prompt, are how its output begins: ``…`` stands for anything, alone
on a line for any lines. ``hub`` and ``desk`` are machines of their own, all other terminals are the
laptop's. Claude is played by a script here; the real one is asked in tests/clients.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.test_mesh_docs import pattern
from tests.integration.cli_process import SECONDS_MAX, environment
from tests.integration.mesh import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
HUB = "192.0.2.1"
STICK = "/media/stick"
MACHINES = {"hub", "desk"}
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(\w+)\$ (.*)$")


def typed() -> list[tuple[str, str, list[str]]]:
    """Everything that the page types: the terminal, the command, what is shown below it."""
    found: list[tuple[str, str, list[str]]] = []
    for block in _CONSOLE.findall(PAGE.read_text("utf-8")):
        for line in block.splitlines():
            if prompt := _PROMPT.match(line):
                found.append((prompt[1], prompt[2], []))
            else:
                found[-1][2].append(line)
    return found


class Desks:
    """The machines of the page, each with its home, and the terminals on them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._terminals: dict[str, dict[str, str]] = {}
        self._endpoint = f"tcp/127.0.0.1:{free_port()}"
        self._servers: list[subprocess.Popen[bytes]] = []
        self._stick = directory / "stick"
        self._stick.mkdir()
        programs = directory / "programs"
        programs.mkdir()
        (programs / "claude").write_text("#!/bin/sh\nexit 0\n")
        (programs / "claude").chmod(0o755)
        kioku = programs / "kioku"
        kioku.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kioku.cli "$@"\n')
        kioku.chmod(0o755)
        self._path = f"{programs}:{os.environ['PATH']}"

    def type(self, terminal: str, command: str, shown: list[str]) -> str:
        """Type a command; gives what it printed, of a server until it shows what it should."""
        environ = self._environ(terminal)
        command = command.replace(HUB, self._endpoint).replace(STICK, str(self._stick))
        if command.endswith(" &"):
            return self._serve(command.removesuffix(" &"), environ)
        after = self._directory / "after"
        done = subprocess.run(
            ["/bin/sh", "-c", f'{command}\ncode=$?; env -0 > "{after}"; exit $code'],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environ,
            cwd=Path(environ["HOME"]) / "shop",
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr.decode())
        kept = after.read_bytes().decode().rstrip("\0").split("\0")
        self._terminals[terminal] = dict(one.split("=", 1) for one in kept)
        return done.stdout.decode()

    def pattern(self, shown: list[str]) -> re.Pattern[str]:
        """What the lines of the page stand for here."""
        return pattern(shown, self._endpoint)

    def close(self) -> None:
        """End what serves."""
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
            server.wait(SECONDS_MAX)

    def _environ(self, terminal: str) -> dict[str, str]:
        if terminal not in self._terminals:
            home = self._directory / (terminal if terminal in MACHINES else "laptop")
            for part in ("objects", "refs"):
                (home / "shop" / ".git" / part).mkdir(parents=True, exist_ok=True)
            (home / "shop" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
            variables = environment(HOME=str(home), PATH=self._path, USER="anna", LC_ALL="C.UTF-8")
            for name in ("KIOKU_STATE_DIR", "KIOKU_CONFIG"):
                variables.pop(name, None)
            kept = {n: v for n, v in variables.items() if not n.startswith(("XDG_", "CLAUDE"))}
            self._terminals[terminal] = kept
        return self._terminals[terminal]

    def _serve(self, command: str, environ: dict[str, str]) -> str:
        log = self._directory / "served"
        with log.open("wb") as out:
            server = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environ,
            )
        self._servers.append(server)
        until(lambda: "listening on" in log.read_text(), log.read_text)
        return log.read_text()


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    """Where the page is played; what was started is ended."""
    found = Desks(tmp_path)
    yield found
    found.close()


def test_agents_do_what_the_page_says(desks: Desks) -> None:
    for terminal, command, shown in typed():
        said = desks.type(terminal, command, shown)
        assert desks.pattern(shown).match(said), (terminal, command, said)


def test_there_is_something_to_type() -> None:
    assert len(typed()) >= 30
