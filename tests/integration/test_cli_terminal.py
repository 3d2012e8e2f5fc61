"""What only happens when a person sits there: questions, and a screen that must not be harmed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import INTERRUPTIBLE, SECONDS_MAX, done, environment, saved_id

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal:
    """A command on a terminal of its own; ``shown`` is all that it has printed."""

    def __init__(self, *arguments: str) -> None:
        self._screen, inner = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*INTERRUPTIBLE, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment(),
            start_new_session=True,
        )
        os.close(inner)

    def wait_for(self, text: str) -> None:
        """Wait until ``text`` is on the screen; fails if the command ends before."""
        while text not in self.shown:
            read = self._read()
            assert read, self.shown
            self.shown += read

    def type(self, text: str) -> None:
        """Type as a person would."""
        os.write(self._screen, text.encode())

    def finish(self) -> int:
        """Wait for the end, and give the exit code."""
        while read := self._read():
            self.shown += read
        return self.process.wait(SECONDS_MAX)

    def close(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        self.process.wait()
        os.close(self._screen)

    def _read(self) -> str:
        try:
            return os.read(self._screen, 65_536).decode()
        except OSError:  # the other end is closed: the command has ended
            return ""


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Commands that a test has started; they are ended with it."""
    started: list[Terminal] = []
    yield started
    for terminal in started:
        terminal.close()


def start(terminals: list[Terminal], *arguments: str) -> Terminal:
    """Start ``kioku`` on a terminal."""
    terminals.append(Terminal(*arguments))
    return terminals[-1]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("YES", 0), ("n", 1), ("", 1)])
def test_a_purge_happens_on_a_yes_alone(terminals: list[Terminal], answer: str, code: int) -> None:
    key = saved_id("words")
    terminal = start(terminals, "purge", key[:8])
    terminal.wait_for("[y/N] ")
    assert key in terminal.shown
    terminal.type(answer + "\n")
    assert terminal.finish() == code
    assert (f"purged: {key}" in terminal.shown) == (code == 0)
    assert (key in done("list").out) == (code != 0)


def test_a_bulk_delete_says_how_many_and_asks(terminals: list[Terminal]) -> None:
    saved_id("one", "-p", "demo")
    saved_id("two", "-p", "demo")
    terminal = start(terminals, "delete", "-p", "demo")
    terminal.wait_for("[y/N] ")
    assert "2 observations" in terminal.shown
    terminal.type("y\n")
    assert terminal.finish() == 0
    assert done("list").out == "No matching memories.\n"


def test_an_interruption_is_no_yes_and_no_traceback(terminals: list[Terminal]) -> None:
    key = saved_id("words")
    terminal = start(terminals, "purge", key)
    terminal.wait_for("[y/N] ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.shown
    assert key in done("list").out


def test_chunks_are_not_poured_over_a_terminal(terminals: list[Terminal]) -> None:
    saved_id("words")
    terminal = start(terminals, "export", "-")
    assert terminal.finish() == 2
    assert "hint: kioku export FILE" in terminal.shown


def test_stored_text_cannot_reorder_a_line(terminals: list[Terminal]) -> None:
    saved_id("user\u202eresu", "--subject", "a\u2066b")
    for command in (["list"], ["list", "--json"], ["search", "--format", "markdown"]):
        terminal = start(terminals, *command)
        assert terminal.finish() == 0
        assert "\u202e" not in terminal.shown
        assert "\u2066" not in terminal.shown
        assert "\\u202e" in terminal.shown or "\\u2066" in terminal.shown
