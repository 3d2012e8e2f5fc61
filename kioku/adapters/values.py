"""Values of a store's items: as the text that is saved of them, and as filters compare them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from kioku.errors import InvalidArgumentError, TooLargeError
from kioku.observation.layout import CONTENT_BYTES_MAX
from kioku.secrets import refuse_in_name, screened_text
from kioku.secrets.gate import ALLOW

DEPTH_MAX: Final = 64
"""Lists and mappings within each other; a parser of JSON need not go deeper."""

_CONTROLS: Final = re.compile("[\x7f-\x9f]")  # JSON leaves these as they are, an observation not
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def encode(value: object, *, secrets: str) -> str:
    """Give the one line of JSON that stands for a value, without what must not be saved.

    Private parts are taken out of each text, credentials of the whole, for often only the key that
    a text stands under tells that it is one. ``secrets`` is the memory's policy.

    Raises:
        InvalidArgumentError: if JSON cannot hold it; the message names the place.
        InvalidObservationError: if a private part has no end.
        SecretRefusedError: if it holds a credential, and those are refused.
        TooLargeError: if it is longer than any content.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"value: {type(value).__name__} is no mapping; give a dict")
    try:
        text = json.dumps(_plain(value, "value", 0), ensure_ascii=False, allow_nan=False)
    except ValueError as error:  # a whole number of thousands of digits
        raise InvalidArgumentError(f"value: {error}; give it as text") from error
    text = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    kept = screened_text("value", text, secrets)
    if kept != text and _shape(_read(kept)) != _shape(_read(text)):
        raise InvalidArgumentError(
            "value: holds a credential that reaches over several of its parts; take it out"
        )
    text = kept
    size = len(text.encode())
    if size > CONTENT_BYTES_MAX:
        raise TooLargeError("value", size, CONTENT_BYTES_MAX)
    return text


def decode(content: str) -> dict[str, Any]:
    """Give the value that an item's text says; of text that somebody wrote by hand, the text."""
    value = _read(content)
    return {"content": content} if value is None else value


def _read(content: str) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _shape(value: Any) -> Any:
    """What a value is but for its texts and keys."""
    if isinstance(value, dict):
        return {number: _shape(each) for number, each in enumerate(value.values())}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return "" if isinstance(value, str) else value


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise InvalidArgumentError(f"{place}: lies over {DEPTH_MAX} levels deep; make it flatter")
    if isinstance(value, Mapping):
        return {
            _key(key, place): _plain(each, f"{place}.{key}", depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(each, f"{place}[{n}]", depth + 1) for n, each in enumerate(value)]
    _check_scalar(value, place)
    return screened_text(place, value, ALLOW) if isinstance(value, str) else value


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise InvalidArgumentError(f"{place}: the key {key!r} is no text; make it one")
    _check_scalar(key, place)
    refuse_in_name(place, key, ALLOW)
    return key


def _check_scalar(value: object, place: str) -> None:
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise InvalidArgumentError(f"{place}: holds half a character; remove it")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidArgumentError(f"{place}: {value} is no number of JSON; leave it out")
    elif value is not None and not isinstance(value, int):
        raise InvalidArgumentError(
            f"{place}: JSON has no {type(value).__name__}; give text, numbers, lists and dicts"
        )


# --- filters -------------------------------------------------------------------------------------


def check_filter(asked: object) -> None:
    """Refuse a filter that could be misunderstood.

    Raises:
        InvalidArgumentError: if it is no mapping, or an operator in it is unknown.
    """
    if not isinstance(asked, Mapping):
        raise InvalidArgumentError("filter: is no mapping of keys to what is wanted")
    for wanted in asked.values():
        _check_wanted(wanted)


def _check_wanted(wanted: object) -> None:
    if isinstance(wanted, Mapping):
        unknown = [key for key in wanted if str(key).startswith("$") and key not in _OPERATORS]
        if unknown or (_asks(wanted) and not _OPERATORS.keys() >= wanted.keys()):
            odd = unknown[0] if unknown else next(key for key in wanted if key not in _OPERATORS)
            raise InvalidArgumentError(
                f"filter: {odd!r} is no operator; known: {', '.join(_OPERATORS)}"
            )
        for each in wanted.values():
            _check_wanted(each)
    elif isinstance(wanted, list | tuple):
        for each in wanted:
            _check_wanted(each)


def matches(value: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a value is one that a checked filter asks for; what it lacks counts as None."""
    return all(_is_wanted(value.get(key), wanted) for key, wanted in asked.items())


def _asks(wanted: Mapping[Any, Any]) -> bool:
    return any(str(key).startswith("$") for key in wanted)


def _is_wanted(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if _asks(wanted):
            return all(_OPERATORS[name](value, operand) for name, operand in wanted.items())
        return isinstance(value, Mapping) and matches(value, wanted)
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(map(_is_wanted, value, wanted))
        )
    return bool(value == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Compare as numbers what both are or spell, else as texts; what is neither does not match."""

    def test(value: Any, operand: Any) -> bool:
        try:
            return compare(float(value), float(operand))
        except (TypeError, ValueError, OverflowError):
            return isinstance(value, str) and isinstance(operand, str) and compare(value, operand)

    return test


_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "$eq": eq,
    "$ne": ne,
    "$gt": _ordered(gt),
    "$gte": _ordered(ge),
    "$lt": _ordered(lt),
    "$lte": _ordered(le),
}
