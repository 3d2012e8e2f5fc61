"""YAML: one entry of a mapping put in or taken out, nothing else touched.

``ruamel.yaml`` reads the text into nodes that know where they stand; the text is cut there, because
writing the nodes back would move comments, indentation and quotes (docs/adr/0089). What stands in
one line (``extensions: {…}``) is edited in that line.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from kioku.install.text import TextError, newline_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN: Final = re.compile(r"[A-Za-z/][\w./-]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_STEP: Final = 2


def value(text: str) -> dict[str, Any]:
    """What the text says; nothing at all is an empty mapping.

    Raises:
        TextError: it is not one YAML mapping, or says one name twice; or YAML is not read here.
    """
    if not text.strip():
        return {}
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError:
        raise TextError("YAML is read with the extra: pip install 'kioku-log[mcp]'") from None

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or type(error).__name__
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}: {problem})" if mark else f" ({problem})"
        raise TextError(f"it is not valid YAML{place}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TextError("it is not a YAML mapping")
    return found


def has_comments(text: str) -> bool:
    """Whether a text may have comments."""
    return "#" in text


def _root(text: str) -> Any:
    """The node of the whole document, None if it says nothing."""
    from ruamel.yaml import YAML

    value(text)
    node = YAML(pure=True).compose(text)
    return node if _is_mapping(node) else None


def _is_mapping(node: Any) -> bool:
    return str(getattr(node, "id", "")) == "mapping"


def _pair(node: Any, name: str) -> Any:
    """The key and value of a mapping that has this name, None if none has."""
    return next((pair for pair in node.value if pair[0].value == name), None)


def put(text: str, path: Sequence[str], entry: Mapping[str, Any]) -> str:
    """The text with ``entry`` at ``path`` (a mapping's name and the entry's), replacing another.

    Raises:
        TextError: it cannot be read, or the entry cannot stand there.
    """
    container, name = path
    root = _root(text)
    if root is None:
        return _appended(text, f"{container}:\n{_block({name: entry}, _STEP)}")
    pair = _pair(root, container)
    if pair is None:
        if root.flow_style:
            return _into_flow(text, root, {container: {name: entry}})
        column = root.start_mark.column
        shown = _block({container: {name: entry}}, column)
        return _inserted(text, _end_of(text, root.value[-1][1]), shown)
    return _into(text, pair, name, entry)


def _into(text: str, pair: Any, name: str, entry: Mapping[str, Any]) -> str:
    key, node = pair
    column = key.start_mark.column + _STEP
    if not node.value and not isinstance(node.value, list):
        return _inserted(text, _end_of(text, key), _block({name: entry}, column))
    if not _is_mapping(node):
        raise TextError(f"its {key.value} is no mapping")
    if node.flow_style and not node.value:
        cut = text[: node.start_mark.index].rstrip(" ") + text[node.end_mark.index :]
        return _inserted(cut, _end_of(cut, key), _block({name: entry}, column))
    if node.flow_style:
        rest = _without_flow(text, node, name)
        return _into_flow(rest, _pair(_root(rest), key.value)[1], {name: entry})
    column = node.value[0][0].start_mark.column
    present = _pair(node, name)
    shown = _block({name: entry}, column)
    if present is None:
        return _inserted(text, _end_of(text, node.value[-1][1]), shown)
    start, end = _line_start(text, present[0]), _end_of(text, present[1])
    return text[:start] + shown.replace("\n", newline_of(text)) + text[end:]


def drop(text: str, path: Sequence[str]) -> str:
    """The text without what stands at ``path``; the same text if nothing does.

    Raises:
        TextError: it cannot be read.
    """
    container, name = path
    root = _root(text)
    pair = _pair(root, container) if root is not None else None
    if pair is None or not _is_mapping(pair[1]) or _pair(pair[1], name) is None:
        return text
    node, present = pair[1], _pair(pair[1], name)
    if node.flow_style:
        return _without_flow(text, node, name)
    start, end = _line_start(text, present[0]), _end_of(text, present[1])
    if len(node.value) > 1:
        return text[:start] + text[end:]
    empty = _end_of_key(text, pair[0])
    return text[:empty] + " {}" + text[empty:start] + text[end:]


# -- where things stand -------------------------------------------------------------------------


def _line_start(text: str, node: Any) -> int:
    return text.rfind("\n", 0, node.start_mark.index) + 1


def _end_of_key(text: str, key: Any) -> int:
    return text.index(":", key.end_mark.index) + 1


def _end_of(text: str, node: Any) -> int:
    """Behind the last line that a node's own content stands on."""
    while isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    place: int = node.end_mark.index
    if place and text[place - 1] == "\n":
        return place
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _inserted(text: str, place: int, shown: str) -> str:
    newline = newline_of(text)
    before = text[:place]
    gap = "" if not before or before.endswith("\n") else newline
    return before + gap + shown.replace("\n", newline) + text[place:]


def _appended(text: str, shown: str) -> str:
    return _inserted(text, len(text), shown)


def _into_flow(text: str, node: Any, entry: Mapping[str, Any]) -> str:
    end = node.end_mark.index - 1
    shown = json.dumps(entry, ensure_ascii=False)[1:-1]
    return f"{text[:end]}{', ' if node.value else ''}{shown}{text[end:]}"


def _without_flow(text: str, node: Any, name: str) -> str:
    names = [key.value for key, _ in node.value]
    if name not in names:
        return text
    index = names.index(name)
    start, end = node.value[index][0].start_mark.index, node.value[index][1].end_mark.index
    if index:
        start = text.rindex(",", 0, start)
    elif len(names) > 1:
        end = node.value[1][0].start_mark.index
    return text[:start] + text[end:]


# -- writing ------------------------------------------------------------------------------------


def _block(entry: Mapping[str, Any], column: int) -> str:
    """A mapping in lines, each with its ending."""
    pad = " " * column
    lines = ""
    for name, item in entry.items():
        if isinstance(item, dict) and item:
            lines += f"{pad}{_scalar(name)}:\n{_block(item, column + _STEP)}"
        elif isinstance(item, list) and item:
            lines += f"{pad}{_scalar(name)}:\n"
            lines += "".join(f"{pad}{' ' * _STEP}- {_scalar(one)}\n" for one in item)
        else:
            lines += f"{pad}{_scalar(name)}: {_scalar(item)}\n"
    return lines


def _scalar(item: Any) -> str:
    is_plain = isinstance(item, str) and _PLAIN.fullmatch(item) and item.lower() not in _WORDS
    return item if is_plain else json.dumps(item, ensure_ascii=False)
