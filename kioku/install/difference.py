"""What an edit changes, as a person wants to see it: the lines that differ, and no secret.

A config is somebody's: around what changes one line is shown and no more, what looks like a
credential is replaced by what it looks like, and of a line that is a whole file only the part that
changes is shown.
"""

from __future__ import annotations

from difflib import unified_diff
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from kioku.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.install.plan import Write

_CONTEXT_LINES: Final = 1
_LINE_MAX: Final = 300  # characters; a longer line is a whole file that was written without breaks
_CONTEXT_MAX: Final = 30  # characters before and behind what changes within such a line


def difference(step: Write) -> list[str]:
    """A unified difference of a file, without line endings."""
    before, after = _lines(step.old), _lines(step.new)
    first = _common(before, after)
    last = _common(before[first:][::-1], after[first:][::-1])
    old, new = _middle(before, first, last), _middle(after, first, last)
    if any(len(line) > _LINE_MAX for line in (*old, *new)):
        shown = _within(old, new)
    else:
        shown = _around(
            before, after, max(0, first - _CONTEXT_LINES), max(0, last - _CONTEXT_LINES)
        )
    return [_safe(line) for line in (f"--- {step.path} (now)", f"+++ {step.path} (then)", *shown)]


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode(errors="replace").splitlines()


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines, or characters of a line, both begin with."""
    pairs = zip(before, after, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _middle(lines: list[str], first: int, last: int) -> list[str]:
    return lines[first : len(lines) - last]


def _around(before: list[str], after: list[str], first: int, last: int) -> list[str]:
    """The hunks between lines that are equal; only what lies between is compared line by line."""
    ours, theirs = _middle(before, first, last), _middle(after, first, last)
    hunks = list(unified_diff(ours, theirs, n=_CONTEXT_LINES, lineterm=""))[2:]
    return [_moved(line, first) if line.startswith("@@ ") else line for line in hunks]


def _moved(mark: str, by: int) -> str:
    """A hunk's mark with the numbers that its lines have in the whole file."""
    _, *places, _ = mark.split(" ")
    moved = []
    for place in places:
        start, comma, count = place[1:].partition(",")
        moved.append(f"{place[0]}{int(start) + by}{comma}{count}")
    return f"@@ {' '.join(moved)} @@"


def _within(before: list[str], after: list[str]) -> list[str]:
    """What changes in lines that are too long to be shown."""
    old, new = "\n".join(before), "\n".join(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    lines = []
    for sign, text in (("-", old), ("+", new)):
        head = text[max(0, start - _CONTEXT_MAX) : start]
        tail = text[len(text) - end :][:_CONTEXT_MAX]
        changed = text[start : len(text) - end]
        lines += [f"{sign}…{part}…" for part in f"{head}{changed}{tail}".split("\n")]
    return [f"@@ within {max(len(old), len(new)):,} characters @@", *lines]


def _safe(line: str) -> str:
    """A line without credentials; one whose private part does not end in it is not shown."""
    from kioku.secrets.screening import redacted

    try:
        return redacted(line)
    except UsageError:
        return f"{line[:1]}…"
