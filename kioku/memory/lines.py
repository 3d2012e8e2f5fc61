"""Observations as JSON Lines: what ``export --format jsonl`` writes, and what people write by hand.

A line is one JSON object. Its fields are an observation's; what is not known as one is kept in
``extra``, and what only describes a result (``score``, ``versions`` …) is passed over. What a newer
kioku has put into the body travels in ``unknown``, the base64 of a body with nothing else, so that
an export and an import give the same bytes. Nothing here reads a file or a clock.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from kioku.errors import InvalidObservationError
from kioku.memory.intake import key_of_id
from kioku.observation import (
    Observation,
    UnreadableBodyError,
    decode_body,
    encode_body,
    from_unix_ms,
    unix_ms,
)
from kioku.observation.layout import BODY_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LINE_BYTES_MAX: Final = 6 * BODY_BYTES_MAX + 65_536
"""A body whose every character is escaped as ``\\u0000``, and the names of the fields."""

_LISTS: Final = ("tags", "source_files", "references", "supersedes")
_TIMES: Final = ("created_at", "updated_at", "expires_at")
_ALIASES: Final = {"observation_id": "id", "pc_id": "host"}
# What ``--json`` says of an observation or of a hit that is no part of it.
_ABOUT: Final = frozenset(
    "is_held is_deleted is_duplicate versions redactions secrets"
    " score snippet is_substring space explanation".split()
)
_KNOWN: Final = frozenset(field.name for field in fields(Observation)) - _ABOUT - {"unknown"}


class Line(NamedTuple):
    """A line that was read: what it says, and the names that went into ``extra``."""

    observation: Observation
    unusual: tuple[str, ...]


def to_record(observation: Observation) -> dict[str, Any]:
    """Give what a line holds besides ``Observation.to_dict``."""
    if not observation.unknown:
        return {}
    from base64 import b64encode

    body = encode_body(Observation("-", unknown=observation.unknown))
    return {"unknown": b64encode(body).decode("ascii")}


def read_line(data: bytes) -> Line | None:
    """Read one line; None if it is blank, or tells of what was deleted.

    Raises:
        InvalidObservationError: if it is no observation; ``field`` says where.
    """
    import json

    if len(data) >= LINE_BYTES_MAX:
        raise InvalidObservationError("line", "is longer than any observation")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidObservationError("line", f"is not UTF-8 at byte {error.start + 1}") from error
    if not text.strip():
        return None
    try:
        record = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError as error:
        raise InvalidObservationError("line", "nests too deeply") from error
    except json.JSONDecodeError as error:
        raise InvalidObservationError("line", f"is no JSON: {error}") from error
    except ValueError as error:
        raise InvalidObservationError("line", "has a number of too many digits") from error
    if not isinstance(record, dict):
        raise InvalidObservationError("line", "is no JSON object, one a line")
    return None if record.get("is_deleted") is True else _line(record)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidObservationError("line", f"is no JSON: {name} is no number of it")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is there twice: JSON leaves open which counts, and one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidObservationError(twice, "is there twice")
    return found


def _line(record: dict[str, Any]) -> Line:
    given = {name: value for name, value in record.items() if value is not None}
    for alias, name in _ALIASES.items():
        value = given.pop(alias, None)
        if value is not None and given.setdefault(name, value) != value:
            raise InvalidObservationError(alias, f"differs from {name}, which means the same")
    unknown = _unpack(given.pop("unknown")) if "unknown" in given else {}
    values = {name: _value(name, given[name]) for name in given.keys() & _KNOWN}
    unusual = sorted(given.keys() - _KNOWN - _ABOUT)
    if "content" not in values:
        raise InvalidObservationError("content", "is missing")
    if "id" in values:
        key_of_id(values["id"])
    if unusual:
        values["extra"] = {**{name: given[name] for name in unusual}, **values.get("extra", {})}
    observation = Observation(**values, unknown=unknown)
    encode_body(observation)
    return Line(observation, tuple(unusual))


def _value(name: str, value: Any) -> Any:
    if name in _LISTS:
        return tuple(value) if isinstance(value, list) else value
    if name in _TIMES:
        return _moment(name, value)
    if name == "extra" and not isinstance(value, dict):
        raise InvalidObservationError("extra", "must be an object")
    return value


def _moment(name: str, value: Any) -> datetime:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(value)
        ms = unix_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        found = from_unix_ms(ms) if ms >= 0 else None
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None:
        raise InvalidObservationError(
            name, "must be an ISO 8601 time from 1970 on, as 2026-05-22T07:51:47Z"
        )
    return found


def _unpack(packed: Any) -> Mapping[int, Any]:
    from base64 import b64decode

    try:
        return decode_body(b64decode(packed, validate=True)).unknown
    except (TypeError, ValueError, UnreadableBodyError) as error:
        raise InvalidObservationError(
            "unknown", "is not what an export writes; leave it out"
        ) from error
