"""One entry put into a config's bytes or taken out of them, and the proof that all else is kept.

The rule this module guards: the new bytes say what the old ones said and our entry, read again by
a parser that did not do the cutting; else nothing is written. A byte order mark stays, and so does
whatever ends the lines.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install import json_text, toml_text, yaml_text
from kioku.install.errors import UneditableConfigError, UnreadableConfigError
from kioku.install.text import TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Format(NamedTuple):
    """How a kind of file is read and edited."""

    value: Callable[[str], dict[str, Any]]
    put: Callable[[str, Sequence[str], Mapping[str, Any]], str]
    drop: Callable[[str, Sequence[str]], str]
    has_comments: Callable[[str], bool]


def _json(dialect: json_text.Dialect) -> Format:
    return Format(
        lambda text: json_text.value(text, dialect),
        lambda text, path, entry: json_text.put(text, path, entry, dialect),
        lambda text, path: json_text.drop(text, path, dialect),
        json_text.has_comments,
    )


JSON: Final = _json(json_text.STRICT)
JSON_WITH_COMMENTS: Final = _json(json_text.WITH_COMMENTS)
JSON_LENIENT: Final = _json(json_text.LENIENT)
TOML: Final = Format(toml_text.value, toml_text.put, toml_text.drop, toml_text.has_comments)
YAML: Final = Format(yaml_text.value, yaml_text.put, yaml_text.drop, yaml_text.has_comments)


class Config(NamedTuple):
    """A client's config as it was read: its bytes (None: no file) and what they say."""

    path: str
    format: Format
    data: bytes | None
    text: str
    mark: bytes
    value: dict[str, Any]

    def at(self, path: Sequence[str]) -> Any:
        """What stands at a path of names; None if nothing does.

        Raises:
            UnreadableConfigError: something on the way is no mapping, as its client expects.
        """
        found: Any = self.value
        for depth, name in enumerate(path):
            if found is None:
                return None
            if not isinstance(found, dict):
                said = ".".join(path[:depth])
                raise UnreadableConfigError(self.path, f"its {said} is {_kind(found)}")
            found = found.get(name)
        return found

    def put(self, path: Sequence[str], entry: Mapping[str, Any]) -> bytes:
        """The bytes with ``entry`` at ``path``, in the place of what was there.

        Raises:
            UneditableConfigError: it cannot be put there without touching something else.
        """
        wanted = _with(self.value, path, entry)
        return self._proved(lambda: self.format.put(self.text, path, entry), wanted)

    def drop(self, path: Sequence[str]) -> bytes:
        """The bytes without what stands at ``path``.

        Raises:
            UneditableConfigError: it cannot be taken out without touching something else.
        """
        wanted = _without(self.value, path)
        return self._proved(lambda: self.format.drop(self.text, path), wanted)

    def _proved(self, edit: Callable[[], str], wanted: Mapping[str, Any]) -> bytes:
        try:
            text = edit()
        except TextError as error:
            raise UneditableConfigError(self.path, str(error)) from None
        if not self._says(text, wanted):
            raise UneditableConfigError(self.path, "our entry cannot be edited alone")
        return self.mark + text.encode()

    def _says(self, text: str, wanted: Mapping[str, Any]) -> bool:
        try:
            return bool(_full(self.format.value(text)) == _full(wanted))
        except TextError:
            return False


def parse(path: str, data: bytes | None, format_: Format) -> Config:
    """A config of these bytes.

    Raises:
        UnreadableConfigError: they are not what its client would read.
    """
    raw = data or b""
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    try:
        text = raw[len(mark) :].decode()
    except UnicodeDecodeError:
        raise UnreadableConfigError(path, "it is not UTF-8") from None
    try:
        return Config(path, format_, data, text, mark, format_.value(text))
    except TextError as error:
        raise UnreadableConfigError(path, str(error)) from None


def _kind(value: object) -> str:
    return {"list": "a list", "str": "a text"}.get(type(value).__name__, "no mapping")


def _with(whole: Mapping[str, Any], path: Sequence[str], entry: Any) -> dict[str, Any]:
    first, *rest = path
    below = whole.get(first) or {}
    return {**whole, first: _with(below, rest, entry) if rest else entry}


def _without(whole: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    first, *rest = path
    if first not in whole:
        return dict(whole)
    if not rest:
        return {name: item for name, item in whole.items() if name != first}
    return {**whole, first: _without(whole[first] or {}, rest)}


def _full(value: Any) -> Any:
    """A value without its empty mappings, which a text may keep or not; ``nan`` equals itself."""
    if isinstance(value, dict):
        full = {name: _full(item) for name, item in value.items()}
        return {name: item for name, item in full.items() if item != {}}
    if isinstance(value, list):
        return [_full(item) for item in value]
    return repr(value)
