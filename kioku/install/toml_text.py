"""TOML: one table put in or taken out, nothing else touched.

A text is cut into statements (a table's header, a key with its value, a comment, an empty line),
each of which the standard library reads by itself; so comments, order and spelling of all others
stay. What an inline table holds is not edited: such a file is rare, and is refused.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install.text import TextError, newline_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
# What a line may hold that does not end where it seems to: strings, comments, brackets.
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'|"
    r"#[^\n]*|[\[\]{}]|\n",
    re.DOTALL,
)


class _Statement(NamedTuple):
    """One statement: where it stands, its keys from the top (without the table's), what it is."""

    start: int
    end: int
    keys: tuple[str, ...]
    is_header: bool
    table: tuple[str, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """Its keys from the top of the document; empty if it says nothing."""
        return self.keys if self.is_header else self.table + self.keys if self.keys else ()


def value(text: str) -> dict[str, Any]:
    """What the text says.

    Raises:
        TextError: it is not TOML.
    """
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise TextError(f"it is not valid TOML ({error})") from None
    except RecursionError:
        raise TextError("it is nested too deeply") from None
    except ValueError:  # Python reads no number of more than some thousand digits
        raise TextError("it has a number that is too long") from None


def has_comments(text: str) -> bool:
    """Whether a text that can be read has comments."""
    return any(token.group().startswith("#") for token in _TOKEN.finditer(text))


def _statements(text: str) -> list[_Statement]:
    found = []
    table: tuple[str, ...] = ()
    for start, end in _lines(text):
        line = text[start:end].replace("\r\n", "\n")
        keys, is_header = _keys(line)
        if is_header:
            table = keys
        found.append(_Statement(start, end, keys, is_header, table))
    return found


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each statement stands, with the end of its last line."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in "[{":
            depth += 1
        elif word in "]}":
            depth -= 1
        elif word == "\n" and depth <= 0:
            yield start, token.end()
            start, depth = token.end(), 0
    if start < len(text):
        yield start, len(text)


def _keys(line: str) -> tuple[tuple[str, ...], bool]:
    """The keys of one statement, and whether it is a table's header."""
    try:
        said: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError as error:
        raise TextError(f"it cannot be read line by line ({error})") from None
    is_header = line.lstrip().startswith("[")
    keys = []
    while isinstance(said, dict) and len(said) == 1:
        [(name, said)] = said.items()
        keys.append(name)
        if isinstance(said, list) and is_header:
            break
    if not is_header and keys:
        keys = keys[: _dots(line)]
    return tuple(keys), is_header


def _dots(line: str) -> int:
    """How many keys a statement has before its equals sign."""
    before = 1
    for token in re.finditer(r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[.=]', line):
        if token.group() == "=":
            return before
        before += token.group() == "."
    return before


def put(text: str, path: Sequence[str], entry: Mapping[str, Any]) -> str:
    """The text with ``entry`` as the table at ``path``, in the place of what was there.

    Raises:
        TextError: it cannot be read, or the entry cannot stand there.
    """
    newline = newline_of(text)
    written = _table(path, entry).replace("\n", newline)
    here = _ours(text, path)
    if here:
        first = here[0]
        if not first.is_header:
            raise TextError(f"{'.'.join(path)} is not written as a table of its own")
        rest = _without(text, here[1:]) if len(here) > 1 else text
        return rest[: first.start] + written + rest[first.end :]
    _require_tables(value(text), text, path)
    if not text.strip():
        return text + written
    ending = "" if text.endswith("\n") else newline
    gap = "" if (text + ending).endswith(newline * 2) else newline
    return text + ending + gap + written


def _require_tables(whole: Mapping[str, Any], text: str, path: Sequence[str]) -> None:
    """Refuse where a name on the way is no table, or one that takes no others."""
    found: Any = whole
    for depth, name in enumerate(path[:-1], 1):
        if name not in found:
            return
        found = found[name]
        said = ".".join(path[:depth])
        if not isinstance(found, dict):
            raise TextError(f"its {said} is no table")
        for statement in _statements(text):
            if not statement.is_header and statement.path == tuple(path[:depth]):
                raise TextError(f"its {said} is an inline table, which is not edited")


def drop(text: str, path: Sequence[str]) -> str:
    """The text without the table at ``path`` and those below it; comments behind it stay.

    Raises:
        TextError: it cannot be read, or the entry is part of an inline table.
    """
    here = _ours(text, path)
    if here:
        return _without(text, here)
    found: Any = value(text)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if found is not None:
        raise TextError(f"{'.'.join(path)} stands in an inline table, which is not edited")
    return text


def _ours(text: str, path: Sequence[str]) -> list[_Statement]:
    """The statements that say something at or below ``path``, in order."""
    value(text)
    return [one for one in _statements(text) if one.path[: len(path)] == tuple(path)]


def _without(text: str, statements: Sequence[_Statement]) -> str:
    """The text less some statements, and less the empty lines before a table that goes."""
    pieces: list[str] = []
    at = 0
    for one in statements:
        kept = text[at : one.start]
        if one.is_header and (pieces or kept.strip()) and _ends_line_twice(kept):
            kept = kept[: -len(newline_of(text))]
        pieces.append(kept)
        at = one.end
    return "".join([*pieces, text[at:]])


def _ends_line_twice(text: str) -> bool:
    return text.endswith(("\n\n", "\r\n\r\n")) or text in ("\n", "\r\n")


def _table(path: Sequence[str], entry: Mapping[str, Any]) -> str:
    """An entry as tables: its own values first, then each mapping below it."""
    below = {name: item for name, item in entry.items() if isinstance(item, dict)}
    lines = [f"[{'.'.join(map(_key, path))}]"]
    lines += [f"{_key(n)} = {_literal(item)}" for n, item in entry.items() if n not in below]
    text = "\n".join(lines) + "\n"
    for name, item in below.items():
        if item:
            text += "\n" + _table([*path, name], item)
    return text


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _literal(item: Any) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, list):
        return f"[{', '.join(map(_literal, item))}]"
    return _string(str(item))


def _string(text: str) -> str:
    """A basic string; every character that one may not hold is escaped."""
    escapes = {'"': '\\"', "\\": "\\\\"}
    return (
        '"'
        + "".join(
            escapes.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in text
        )
        + '"'
    )
