r"""The only printer: everything that kioku says to a person or a script passes through here.

The rule this module guards: stored text never commands a terminal. Control characters, escape
sequences and characters that reverse the reading direction are shown as what they are
(``\x1b``), in JSON as escapes; newlines and tabs stay where text may have lines.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

from kioku import wording

if TYPE_CHECKING:
    from typing import TextIO

_chosen = {"color": "auto"}
WIDTH = 80  # where no terminal says
_IN_JSON = {c: f"\\u{c:04x}" for c in (*range(0x7F, 0xA0), *wording.REORDERING)}
one_line = wording.one_line
plain = wording.plain


def prepare() -> None:
    """Make output whole and survive any character that its encoding lacks, whatever the locale.

    With PYTHONUNBUFFERED, usual in containers, the interpreter drops what a short write left over
    (a full disk, a reader that left): a buffer writes the rest, or reports why it cannot.
    """
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        raw = open(sys.stdout.fileno(), "wb", closefd=False)  # noqa: SIM115 - lives to the end
        sys.stdout = io.TextIOWrapper(raw, encoding=sys.stdout.encoding)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def line(text: str) -> None:
    """Print one line to standard output."""
    _write(sys.stdout, one_line(text) + "\n")


def block(text: str) -> None:
    """Print lines to standard output."""
    _write(sys.stdout, plain(text) + "\n")


def utf8_block(text: str) -> None:
    """Print lines to standard output, to a program as UTF-8 whatever the locale says.

    Where a character were spelled as an escape, a text would be longer than it was said to be.
    """
    if is_watched() or not hasattr(sys.stdout, "buffer"):
        block(text)
    else:
        octets(f"{plain(text)}\n".encode())


def json(value: Any, *, indent: int | None = 2) -> None:
    """Print one JSON document to standard output; on one line if ``indent`` is None."""
    _write(sys.stdout, json_text(value, indent=indent) + "\n")


def json_text(value: Any, *, indent: int | None = None) -> str:
    """One JSON document that a terminal can be shown."""
    from json import dumps  # half as costly as opening a store: only for those who asked for it

    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return dumps(value, ensure_ascii=not is_unicode, indent=indent).translate(_IN_JSON)


def octets(data: bytes) -> None:
    """Write bytes to standard output as they are; only for a pipe or a file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def note(text: str) -> None:
    """Print one line that is not the result (progress, a remark) to standard error."""
    _write(sys.stderr, one_line(text) + "\n")


def error(message: str, *, hint: str = "") -> None:
    """Say what went wrong, and where it helps what to do."""
    note(f"kioku: {message}")
    if hint:
        note(f"hint: {hint}")


def interrupted(*, kept: str = "", is_line_empty: bool = False) -> None:
    """Say that a person stopped it, and what was kept; below the ``^C`` that the terminal shows."""
    if _is_terminal(sys.stderr) and not is_line_empty:
        _write(sys.stderr, "\n")
    note(f"kioku: interrupted{'; ' if kept else ''}{kept}")


def traceback(problem: Exception) -> None:
    """Show where an exception came from, to whoever set KIOKU_DEBUG."""
    from traceback import format_exception

    _write(sys.stderr, plain("".join(format_exception(problem))))


def ask(question: str) -> bool:
    """Ask a person on the terminal; False if there is none, or the answer is not yes."""
    return (reply(f"{question} [y/N] ") or "").lower() in ("y", "yes")


def reply(question: str) -> str | None:
    """What a person on the terminal types as an answer; None if there is nobody, or no answer."""
    if not is_answered():
        return None
    _write(sys.stderr, one_line(question))
    sys.stderr.flush()
    typed = sys.stdin.readline()
    if not typed.endswith("\n"):  # Ctrl-D leaves the cursor behind the question
        _write(sys.stderr, "\n")
    return typed.strip() if typed else None


def is_answered() -> bool:
    """Whether a person is there to be asked."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def is_watched() -> bool:
    """Whether a person reads standard output."""
    return _is_terminal(sys.stdout)


def is_error_watched() -> bool:
    """Whether a person reads standard error, on a terminal that can draw."""
    return _is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"


def choose_colour(when: str) -> None:
    """Set what ``--color`` says: ``auto``, ``always`` or ``never``."""
    _chosen["color"] = when


def is_for_person() -> bool:
    """Whether output is laid out for a person; a pipe, a file and a dumb terminal get lines that
    a script can rely on.
    """
    if _chosen["color"] == "always":
        return True
    return is_watched() and os.environ.get("TERM") != "dumb"


def is_coloured() -> bool:
    """Whether what is laid out for a person has colours (docs/adr/0053)."""
    if _chosen["color"] != "auto":
        return _chosen["color"] == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("CLICOLOR") != "0"


def width() -> int:
    """How many columns a line has: the terminal's, whatever it is now, else ``COLUMNS`` or 80."""
    if is_watched():
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
        except OSError:
            return WIDTH
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isdecimal() and 0 < int(told) < 10_000 else WIDTH


def painted(text: str) -> None:
    """Print what ``kioku.cli.screen`` has laid out, with its colours."""
    _write(sys.stdout, text)


def advise(text: str) -> None:
    """Tell a person at a terminal what to do next; a script hears nothing."""
    if is_watched() and _is_terminal(sys.stderr):
        note(f"hint: {text}")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def flush() -> None:
    """Make sure that what was printed has left, while an error can still be reported."""
    if sys.stdout is not None:
        sys.stdout.flush()


def settle() -> None:
    """After an error: let what was printed leave if it can, and be silent if it cannot."""
    try:
        flush()
    except OSError:
        abandon_output()


def abandon_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:  # started without that stream: `kioku save x >&-`
        stream.write(text)
