r"""JSON, maybe with comments: one member put in or taken out, nothing else touched.

    scan   finds comments and commas that end a list, and blanks them: what is left is JSON of the
           same length, which the standard library reads and checks
    spans  finds where the members of one object stand in it
    put, drop  cut the original text at those places

No library does this in Python: docs/adr/0089. Every offset is one of characters in the text without
its byte order mark.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install.text import TextError, newline_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STRING: Final = r'"(?:[^"\\\n\r]|\\.)*"'
_COMMENT: Final = r"//[^\n\r]*|/\*.*?\*/"
_TOKEN: Final = re.compile(f'{_STRING}|{_COMMENT}|[^\\s"/,{{}}\\[\\]]+|\\S', re.DOTALL)
_BESIDE_JSON: Final = re.compile(r"/[/*]|,\s*[}\]]")  # also within strings: then it is looked at
MARK: Final = re.compile(f"{_STRING}|[{{}}\\[\\],:]")
_INDENT: Final = "  "


class Dialect(NamedTuple):
    """What the client that reads a file takes beside JSON."""

    comments: bool
    commas: bool


STRICT: Final = Dialect(comments=False, commas=False)
WITH_COMMENTS: Final = Dialect(comments=True, commas=False)
LENIENT: Final = Dialect(comments=True, commas=True)


class Scan(NamedTuple):
    """A text, the same as plain JSON, and where its comments are; objects that were found in it."""

    text: str
    plain: str
    comments: tuple[tuple[int, int], ...]
    commas: frozenset[int]
    objects: dict[int, _Object]


class _Member(NamedTuple):
    """Where one member of an object stands: its name, its value."""

    name: str
    start: int
    value: int
    end: int


class _Object(NamedTuple):
    """Where an object stands, from brace to brace, and its members."""

    start: int
    end: int
    members: tuple[_Member, ...]


# -- reading ------------------------------------------------------------------------------------


def value(text: str, dialect: Dialect = LENIENT) -> dict[str, Any]:
    """What the text says; nothing at all is an empty object.

    Raises:
        TextError: it is not one JSON object, or says one name twice.
    """
    return _value(scan(text, dialect))


def _value(scanned: Scan) -> dict[str, Any]:
    if not scanned.plain.strip():
        return {}
    try:
        found = json.loads(scanned.plain, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise TextError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise TextError(f"it is not valid JSON (line {error.lineno}: {error.msg})") from None
    except ValueError:  # Python reads no number of more than some thousand digits
        raise TextError("it has a number that is too long") from None
    if not isinstance(found, dict):
        raise TextError("it is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TextError(f"it has {twice[:60]!r} twice in one object")
    return found


def _refuse(word: str) -> None:
    raise TextError(f"it is not valid JSON ({word})")


def scan(text: str, dialect: Dialect) -> Scan:
    """The text with what the dialect adds to JSON found and blanked.

    Raises:
        TextError: it has a comment where its client takes none.
    """
    if not _BESIDE_JSON.search(text):  # plain JSON, and maybe megabytes of it
        return Scan(text, text, (), frozenset(), {})
    pieces, comments, commas = [], [], set()
    at, comma = 0, -1
    for token in _TOKEN.finditer(text):
        start, word = token.start(), token.group()
        if word[:2] in ("//", "/*") and len(word) > 1:
            if not dialect.comments:
                line = text.count("\n", 0, start) + 1
                raise TextError(f"it is not valid JSON (line {line}: a comment)")
            pieces += [text[at:start], re.sub(r"[^\r\n]", " ", word)]
            at = token.end()
            comments.append((start, at))
            continue
        if comma >= 0 and word in "}]" and dialect.commas:
            commas.add(comma)
        comma = start if word == "," else -1
    plain = "".join([*pieces, text[at:]])
    if commas:
        plain = "".join(" " if place in commas else c for place, c in enumerate(plain))
    return Scan(text, plain, tuple(comments), frozenset(commas), {})


def has_comments(text: str) -> bool:
    """Whether a text that can be read has comments."""
    return bool(scan(text, LENIENT).comments)


def object_at(scanned: Scan, path: Sequence[str]) -> _Object | None:
    """The object that a path of names leads to; None if it ends before."""
    start = scanned.plain.find("{")
    for step in range(len(path) + 1):
        found = scanned.objects.get(start) or _spans(scanned.plain, start)
        scanned.objects[start] = found
        if step == len(path):
            return found
        here = [member for member in found.members if member.name == path[step]]
        if not here:
            return None
        start = here[0].value
        if scanned.plain[start] != "{":
            raise TextError(f"its {'.'.join(path[: step + 1])} is no object")
    return None


def _spans(plain: str, start: int) -> _Object:
    """Where the members of the object at ``start`` stand; the text is known to be JSON."""
    members: list[_Member] = []
    name, named, opened, end = "", -1, -1, -1
    for word, place in _marks_of(plain, start):
        if word == ":":
            opened = place + 1
        elif word[0] == '"':
            if opened < 0:
                name, named = json.loads(word), place
        else:
            if opened >= 0:
                members.append(_member(plain, name, named, (opened, place)))
            opened, end = -1, place + 1
    return _Object(start, end, tuple(members))


def _marks_of(plain: str, start: int) -> Iterator[tuple[str, int]]:
    """The strings, colons and commas of the object at ``start`` itself, and its closing brace."""
    depth = 0
    for mark in MARK.finditer(plain, start):
        word = mark.group()
        if word in "{[":
            depth += 1
            continue
        is_end = word in "}]"
        if depth == 1:
            yield word, mark.start()
            if is_end:
                return
        depth -= is_end


def _member(plain: str, name: str, start: int, around: tuple[int, int]) -> _Member:
    begin, end = around
    written = plain[begin:end]
    return _Member(
        name,
        start,
        begin + len(written) - len(written.lstrip()),
        begin + len(written.rstrip()),
    )


# -- putting in ---------------------------------------------------------------------------------


def put(text: str, path: Sequence[str], entry: Any, dialect: Dialect = LENIENT) -> str:
    """The text with ``entry`` at ``path``, in the place of what was there.

    Raises:
        TextError: it cannot be read, or something on the path is no object.
    """
    scanned = scan(text, dialect)
    _value(scanned)
    if not scanned.plain.strip():
        return _begun(text, path, entry)
    for depth in range(len(path) - 1, -1, -1):
        found = object_at(scanned, path[:depth])
        if found is None:
            continue
        rest: Any = entry
        for name in reversed(path[depth + 1 :]):
            rest = {name: rest}
        return _with_member(scanned, found, path[depth], rest)
    raise AssertionError("an object was read, and is not there")


def _begun(text: str, path: Sequence[str], entry: Any) -> str:
    """A text that says nothing yet, maybe in comments, with its first object."""
    whole: Any = entry
    for name in reversed(path):
        whole = {name: whole}
    newline = newline_of(text)
    before = text.rstrip()
    shown = dumped(whole, _INDENT, "", newline)
    return f"{before}{newline if before else ''}{shown}{newline}"


def _with_member(scanned: Scan, found: _Object, name: str, entry: Any) -> str:
    text = scanned.text
    indent, unit = _indents(scanned, found)
    newline = newline_of(text)
    is_inline = indent is None
    shown = json.dumps(entry, ensure_ascii=False) if is_inline else ""
    if not is_inline:
        shown = dumped(entry, unit, indent or "", newline)
    for member in found.members:
        if member.name == name:
            return text[: member.value] + shown + text[member.end :]
    written = f"{json.dumps(name, ensure_ascii=False)}: {shown}"
    if not found.members:
        return _into_empty(scanned, found, written, None if is_inline else newline + (indent or ""))
    end = found.members[-1].end
    comma = next((c for c in sorted(scanned.commas) if end <= c < found.end), None)
    if is_inline:
        after = end if comma is None else comma + 1
        return f"{text[:after]}{', ' if comma is None else ' '}{written}{text[after:]}"
    place = line_end(scanned, end if comma is None else comma + 1)
    if comma is not None:
        return f"{text[:place]}{newline}{indent}{written},{text[place:]}"
    return f"{text[:end]},{text[end:place]}{newline}{indent}{written}{text[place:]}"


def _into_empty(scanned: Scan, found: _Object, written: str, lead: str | None) -> str:
    """The first member of an object; a comment that stands alone in it stays."""
    text = scanned.text
    inside = text[found.start + 1 : found.end - 1]
    if lead is None:
        return f"{text[: found.start + 1]}{written}{text[found.start + 1 :]}"
    kept = inside.rstrip()
    own = line_indent(text, found.start)
    newline = newline_of(text)
    head = text[: found.start + 1] + kept
    return f"{head}{lead}{written}{newline}{own}{text[found.end - 1 :]}"


def _indents(scanned: Scan, found: _Object) -> tuple[str | None, str]:
    """How far a member of the object is indented, None where all stands on one line; and a step."""
    text = scanned.text
    root = object_at(scanned, ())
    assert root is not None
    unit = _INDENT
    if root.members and (own := line_indent_if_first(scanned, root.members[0].start)):
        unit = own.removeprefix(line_indent(text, root.start)) or _INDENT
    if found.members:
        for member in (found.members[-1], found.members[0]):
            own = line_indent_if_first(scanned, member.start)
            if own is not None:
                return own, unit
        return None, unit
    is_one_line = "\n" not in text[root.start : root.end] and root.members
    return None if is_one_line else line_indent(text, found.start) + unit, unit


def line_indent(text: str, place: int) -> str:
    """The white space that begins the line of ``place``."""
    begin = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    line = text[begin:place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def line_indent_if_first(scanned: Scan, place: int) -> str | None:
    """The indentation of what stands at ``place``, None if something stands before it."""
    text = scanned.plain
    begin = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    if begin == 0 or text[begin:place].strip():
        return None
    line = scanned.text[begin:place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def line_end(scanned: Scan, place: int) -> int:
    """Behind what else stands on the line of ``place`` before its end: comments of that line."""
    text = scanned.text
    best = place
    while True:
        while place < len(text) and text[place] in " \t":
            place += 1
        comment = next((end for start, end in scanned.comments if start == place), None)
        if comment is None:
            return best
        best = place = comment


def dumped(entry: Any, unit: str, indent: str, newline: str) -> str:
    """A value as it is written on lines of its own, all but the first indented."""
    shown = json.dumps(entry, indent=unit, ensure_ascii=False)
    return shown.replace("\n", newline + indent)


# -- taking out ---------------------------------------------------------------------------------


def drop(text: str, path: Sequence[str], dialect: Dialect = LENIENT) -> str:
    """The text without what stands at ``path``; the same text if nothing does.

    Raises:
        TextError: it cannot be read, or something on the path is no object.
    """
    scanned = scan(text, dialect)
    if path[-1] not in _container(_value(scanned), path[:-1]):
        return text
    found = object_at(scanned, path[:-1])
    assert found is not None
    names = [member.name for member in found.members]
    index = names.index(path[-1])
    member = found.members[index]
    start = _stripped(text, member.start)
    after = _comma_after(scanned, member.end)
    if after is not None:
        return _cut(scanned, start, after, found)
    if index:
        comma = scanned.plain.index(",", found.members[index - 1].end)
        cut = _cut(scanned, start, member.end, found)
        return cut[:comma] + cut[comma + 1 :]
    return _cut(scanned, start, member.end, found)


def _container(whole: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    found: Any = whole
    for name in path:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _stripped(text: str, place: int) -> int:
    return len(text[:place].rstrip())


def _comma_after(scanned: Scan, place: int) -> int | None:
    """Behind the comma that follows a value, None if none does."""
    after = re.compile(r"\s*").match(scanned.plain, place)
    assert after is not None
    end = after.end()
    if scanned.plain[end] == ",":
        return end + 1
    return next(
        (c + 1 for c in scanned.commas if place <= c and not _marks(scanned, place, c)), None
    )


def _marks(scanned: Scan, start: int, end: int) -> str:
    return scanned.plain[start:end].strip()


def _cut(scanned: Scan, start: int, end: int, found: _Object) -> str:
    """The text without a part of it; a comment before it never swallows what follows."""
    text = scanned.text
    rest = text[end:]
    follows_line_comment = any(
        stop == start and text.startswith("//", begin) for begin, stop in scanned.comments
    )
    if follows_line_comment and not re.match(r"[ \t]*[\r\n]", rest):
        return text[:start] + newline_of(text) + rest
    if not text[found.start + 1 : start].strip() and not text[end : found.end - 1].strip():
        return text[: found.start + 1] + text[found.end - 1 :]
    return text[:start] + rest
