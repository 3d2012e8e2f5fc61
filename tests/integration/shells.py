"""Real shells on a terminal of their own, in which Tab is pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kioku.cli.completion.verb import script
from tests.integration.cli_process import ROOT, SECONDS_MAX, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--interactive"],
}
INSTALLED = [name for name in _START if shutil.which(name)]
"""bash is always there; the others are tested where they are."""

# Shows what a command was given, each argument between marks that no argument of a test contains.
_SHOW = {
    "bash": "kioku() { printf 'GIV''EN'; printf '\\001%s' \"$@\"; printf '\\002\\n'; }",
    "zsh": "kioku() { printf 'GIV''EN'; printf '\\001%s' \"$@\"; printf '\\002\\n'; }",
    "fish": "function kioku; printf 'GIV''EN'; printf '\\001%s' $argv; printf '\\002\\n'; end",
}
_PREPARE = {
    "bash": "bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; PS1='> '",
    "zsh": "autoload -Uz compinit; compinit -D -u; unsetopt beep; PS1='> '",
    "fish": "function fish_prompt; echo '> '; end; set -g fish_autosuggestion_enabled 0",
}


def _take_terminal() -> None:
    """Make standard input the controlling terminal: fish is not interactive without one."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


SILENCE_S_MAX = 30  # far beyond one answer, also of a loaded machine


class Shell:
    """An interactive shell that completes kioku."""

    def __init__(self, name: str, directory: Path) -> None:
        self._screen, inner = pty.openpty()
        self.shown = ""
        program = directory / "bin" / "kioku"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kioku.cli "$@"\n')
        program.chmod(0o755)
        source = directory / f"kioku.{name}"
        source.write_text(script(name))
        variables = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
            "HISTFILE": "",
            "LC_ALL": "C.UTF-8",
        }
        self._process = subprocess.Popen(
            _START[name],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment(**variables),
            cwd=directory,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread of the tests holds a lock here
        )
        os.close(inner)
        for line in (_PREPARE[name], f"source '{source}'", _SHOW[name], "echo REA''DY"):
            self.type(line + "\n")
        self.wait_for("READY")

    def type(self, text: str) -> None:
        """Type as a person would."""
        os.write(self._screen, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until ``text`` is on the screen, and forget what came before it."""
        while text not in self.shown:
            self._read()
        self.shown = self.shown.partition(text)[2]

    def _read(self) -> None:
        """Take what is on the screen; a shell that shows nothing for long waits for something."""
        is_there, _, _ = select.select([self._screen], [], [], SILENCE_S_MAX)
        assert is_there, f"the shell waits, and has shown {self.shown!r}"
        self.shown += os.read(self._screen, 65_536).decode(errors="replace")

    def given(self, typed: str) -> list[str]:
        """Type a line, with Tab in it where it stands, and Enter; what the command was given."""
        self.type(typed + "\n")
        self.wait_for("GIVEN")
        while "\x02" not in self.shown:
            self._read()
        answer, _, self.shown = self.shown.partition("\x02")
        return answer.replace("\r\n", "\n").split("\x01")[1:]

    def close(self) -> None:
        """Leave nothing running."""
        self._process.kill()
        self._process.wait(SECONDS_MAX)
        os.close(self._screen)


@contextmanager
def shell(name: str, directory: Path) -> Iterator[Shell]:
    """A shell that is ended with the block."""
    started = Shell(name, directory)
    try:
        yield started
    finally:
        started.close()
