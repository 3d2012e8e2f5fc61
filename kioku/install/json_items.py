"""JSON, maybe with comments: one item put at the end of a list or taken out, nothing else touched.

Hooks stand in lists, which a user may share with other programs: theirs keep their place, their
form and their comments. It reads as ``json_text`` does, and cuts the original text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.install import json_text
from kioku.install.json_text import MARK, Dialect, Scan
from kioku.install.text import TextError, newline_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class _List(NamedTuple):
    """Where a list stands: its brackets, and its items from their first character to their end."""

    start: int
    end: int
    items: tuple[tuple[int, int], ...]


def append(text: str, path: Sequence[str], item: Any, dialect: Dialect) -> str:
    """The text with one more item at the end of the list at ``path``, which is made if need be.

    Raises:
        TextError: it cannot be read, or what stands there is no list.
    """
    scanned = json_text.scan(text, dialect)
    found = _list_at(scanned, text, path, dialect)
    if found is None or not found.items:
        return json_text.put(text, path, [item], dialect)
    newline = newline_of(text)
    last = found.items[-1][1]
    indent = json_text.line_indent_if_first(scanned, found.items[0][0])
    if indent is None:
        return f"{text[:last]}, {json.dumps(item, ensure_ascii=False)}{text[last:]}"
    unit = indent[: len(indent) - len(json_text.line_indent(text, found.start))] or "  "
    shown = json_text.dumped(item, unit, indent, newline)
    place = json_text.line_end(scanned, last)
    return f"{text[:last]},{text[last:place]}{newline}{indent}{shown}{text[place:]}"


def remove(text: str, path: Sequence[str], index: int, dialect: Dialect) -> str:
    """The text without one item of the list at ``path``; without the list, if it was the only one.

    Raises:
        TextError: it cannot be read, or there is no such item.
    """
    scanned = json_text.scan(text, dialect)
    found = _list_at(scanned, text, path, dialect)
    if found is None or index >= len(found.items):
        raise TextError(f"its {'.'.join(path)} has no item {index + 1}")
    if len(found.items) == 1:
        return json_text.drop(text, path, dialect)
    start, end = found.items[index]
    begin = _line_before(text, start)
    if index + 1 < len(found.items):
        return text[:begin] + text[scanned.plain.index(",", end) + 1 :]
    comma = scanned.plain.index(",", found.items[index - 1][1])
    return text[:comma] + text[comma + 1 : begin] + text[end:]


def _list_at(scanned: Scan, text: str, path: Sequence[str], dialect: Dialect) -> _List | None:
    """The list that a path of names leads to; None if there is nothing."""
    found: Any = json_text.value(text, dialect)
    for name in path:
        if not isinstance(found, dict):
            raise TextError(f"its {'.'.join(path[:-1])} is no object")
        found = found.get(name)
        if found is None:
            return None
    if not isinstance(found, list):
        raise TextError(f"its {'.'.join(path)} is no list")
    within = json_text.object_at(scanned, path[:-1])
    assert within is not None
    [start] = [member.value for member in within.members if member.name == path[-1]]
    return _spans(scanned.plain, start)


def _spans(plain: str, start: int) -> _List:
    """Where the items of the list at ``start`` stand; the text is known to be JSON."""
    items: list[tuple[int, int]] = []
    depth, begin, end = 0, start + 1, start
    for mark in MARK.finditer(plain, start):
        word = mark.group()
        depth += word in "{["
        depth -= word in "}]"
        if (word == "," and depth == 1) or depth == 0:
            written = plain[begin : mark.start()]
            if written.strip():
                first = begin + len(written) - len(written.lstrip())
                items.append((first, begin + len(written.rstrip())))
            begin, end = mark.end(), mark.end()
        if depth == 0:
            break
    return _List(start, end, tuple(items))


def _line_before(text: str, start: int) -> int:
    """The end of the line before ``start`` if nothing stands between, else ``start``."""
    blank = len(text[:start].rstrip(" \t"))
    if text[blank - 1 : blank] not in ("\n", "\r"):
        return blank
    before = text[:blank]
    return len(before.removesuffix("\r\n") if before.endswith("\r\n") else before[:-1])
