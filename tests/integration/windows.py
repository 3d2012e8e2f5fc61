"""A shell in a terminal's window, to be typed into and looked at: by tmux, or by an emulator.

One port, two adapters. ``TmuxWindow`` drives the real thing; ``EmulatedWindow`` is a pseudo
terminal whose output ``pyte`` interprets, so that the same tests run where no tmux is installed.
What either shows is a ``pyte`` screen, so a test asks both for cells, colours and the cursor alike.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyte

from tests.integration.cli_process import environment

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_MAX = 120  # far beyond anything; only so that a hang fails instead of lasting
SECONDS_BETWEEN = 0.02
COMMANDS = Path(sys.executable).parent
SHELL = ("bash", "--norc", "--noprofile", "-i")
PROMPT = "ready> "
KEYS = {"Enter": "\r", "Tab": "\t", "C-c": "\x03", "C-d": "\x04"}


class Window(Protocol):
    """A window with a shell in it."""

    def type(self, text: str) -> None:
        """Type text, without Enter."""

    def press(self, key: str) -> None:
        """Press one of ``KEYS``."""

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size; the shell and what runs in it are told."""

    def look(self) -> pyte.Screen:
        """What is on it now."""

    def has_cursor(self) -> bool:
        """Whether the cursor can be seen."""

    def close(self) -> None:
        """End the shell and all that runs in it."""


def variables(more: dict[str, str]) -> dict[str, str]:
    """The environment of the shell."""
    return environment(
        PATH=f"{COMMANDS}:{os.environ['PATH']}",
        PS1=PROMPT,
        LC_ALL="C.UTF-8",
        TERM="screen",
        **more,
    )


class TmuxWindow:
    """A window of a tmux server of its own."""

    def __init__(self, place: Path, columns: int, rows: int, more: dict[str, str]) -> None:
        self._command = ["tmux", "-u", "-S", str(place / "tmux"), "-f", os.devnull]
        self._size = (columns, rows)
        size = ("-x", str(columns), "-y", str(rows))
        self._tmux("new-session", "-d", "-c", str(place), *size, *SHELL, env=more)
        self._tmux("set-option", "-g", "status", "off")
        self.resize(columns, rows)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        self._size = (columns, rows)
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def look(self) -> pyte.Screen:
        lines = self._tmux("capture-pane", "-e", "-p").rstrip("\n").split("\n")
        screen = pyte.Screen(*self._size)
        pyte.Stream(screen).feed("\r\n".join(lines))
        return screen

    def has_cursor(self) -> bool:
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it ends with its last shell
            self._tmux("kill-server")

    def _tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            check=True,
            capture_output=True,
            env=variables(env or {}),
            timeout=SECONDS_MAX,
        )
        return done.stdout.decode()


class EmulatedWindow:
    """A pseudo terminal, and an emulator that reads what is printed on it."""

    def __init__(self, place: Path, columns: int, rows: int, more: dict[str, str]) -> None:
        self._outside, inside = pty.openpty()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.resize(columns, rows)
        self._shell = subprocess.Popen(
            SHELL,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=variables(more),
            cwd=place,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - a few system calls
        )
        os.close(inside)

    def type(self, text: str) -> None:
        os.write(self._outside, text.encode())

    def press(self, key: str) -> None:
        self.type(KEYS[key])

    def resize(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._outside, termios.TIOCSWINSZ, size)
        self._screen.resize(rows, columns)

    def look(self) -> pyte.Screen:
        while select.select([self._outside], [], [], 0)[0]:
            try:
                self._stream.feed(os.read(self._outside, 65_536))
            except OSError:  # the shell has ended
                break
        return self._screen

    def has_cursor(self) -> bool:
        return not self.look().cursor.hidden

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait()
        os.close(self._outside)


def _take_terminal() -> None:
    """Make standard input the terminal of the new session, so that keys become signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP):  # a shell in the background ignores them
        signal.signal(number, signal.SIG_DFL)


KINDS: dict[str, Callable[[Path, int, int, dict[str, str]], Window]] = {"emulator": EmulatedWindow}
if shutil.which("tmux"):
    KINDS["tmux"] = TmuxWindow


def wait_until(condition: Callable[[], bool], otherwise: Callable[[], str] = str) -> None:
    """Ask again and again until a condition holds; fails with what ``otherwise`` says."""
    deadline = time.monotonic() + SECONDS_MAX
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        pause.wait(SECONDS_BETWEEN)


class Person:
    """Somebody who types into a window, and waits for what they see."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def run(self, command: str) -> str:
        """Type a command and wait for it to end; gives what it left on the screen."""
        self.begin(command)
        return self.wait_for_prompt()

    def begin(self, command: str) -> None:
        """Type a command on an empty screen and do not wait for it."""
        self.window.type("clear")
        self.window.press("Enter")
        self.wait_until(lambda: self.text() == PROMPT.rstrip(), "an empty screen")
        self.window.type(command)
        self.window.press("Enter")

    def answer(self, text: str) -> None:
        """Type an answer."""
        self.window.type(text)
        self.window.press("Enter")

    def wait_for(self, text: str) -> str:
        """Wait until ``text`` can be seen, and give all that can."""
        self.wait_until(lambda: text in self.text(), repr(text))
        return self.text()

    def wait_for_prompt(self) -> str:
        """Wait until the shell asks for the next command; gives what is above."""
        self.wait_until(self._is_at_prompt, "the prompt")
        return "\n".join(self.lines()[:-1])

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Look again and again until a condition holds."""
        wait_until(condition, lambda: f"never saw {what}; there is:\n{self.text()}")

    def lines(self) -> list[str]:
        """The lines that can be seen, without empty ones at the end."""
        lines = [line.rstrip() for line in self.window.look().display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def text(self) -> str:
        """All that can be seen."""
        return "\n".join(self.lines())

    def colour_of(self, word: str) -> str:
        """The colour of the first letter of the first ``word`` on the screen."""
        screen = self.window.look()
        for row, _ in enumerate(screen.display):
            column = self.column_of(word, row)
            if column >= 0:
                return str(screen.buffer[row][column].fg)
        raise AssertionError(f"{word} is not on the screen:\n{self.text()}")

    def column_of(self, word: str, row: int) -> int:
        """In which column of a row ``word`` begins, or -1; a wide character takes two."""
        screen = self.window.look()
        cells = [screen.buffer[row][column].data for column in range(screen.columns)]
        for column in range(screen.columns):
            if cells[column] and "".join(cells[column:]).startswith(word):
                return column
        return -1

    def _is_at_prompt(self) -> bool:
        lines = self.lines()
        return len(lines) > 1 and lines[-1] == PROMPT.rstrip()
