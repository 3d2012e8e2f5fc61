"""What a caller hands in, made into an observation.

One place turns keywords, dictionaries and observations of others into an ``Observation``, so that
``save``, ``save_many``, ``edit`` and an import refuse the same things in the same words. What the
fields hold is checked by ``encode_body``, before anything is written. Nothing here reads a clock:
the time is an argument.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from kioku.errors import InvalidArgumentError, InvalidObservationError, TooLargeError
from kioku.log.event import ZERO_KEY
from kioku.observation import Observation, from_unix_ms, key_of, unix_ms
from kioku.observation.layout import TEXT_BYTES_MAX
from kioku.secrets import screened_text

if TYPE_CHECKING:
    from dataclasses import replace
else:
    from kioku.values import replace


class Author(NamedTuple):
    """Who saves: it fills what the caller left open, and is never an argument of a save."""

    agent_family: str
    client_id: str
    host: str
    session_id: str


class Fields(TypedDict, total=False):
    """What a caller may say of an observation besides its content."""

    project: str | None
    tags: Iterable[str] | None
    memory_type: str | None
    importance: int | None
    subject: str | None
    summary: str | None
    source_files: Iterable[str] | None
    references: Iterable[str] | None
    supersedes: Iterable[str] | None
    expires_at: datetime | None
    ttl: timedelta | None
    session_id: str | None
    extra: Mapping[str, Any] | None


class Changes(Fields, total=False):
    """What an edit may change; whatever is not given stays as it is."""

    content: str


FIELDS: Final = frozenset(Changes.__optional_keys__)

ID_DIGITS: Final = 32
PREFIX_DIGITS_MIN: Final = 6
"""Of an id that somebody shortened: with fewer, a store of some thousands has many that fit."""

_OF_A_RESULT: Final[Mapping[str, Any]] = {
    "is_held": False,
    "is_deleted": False,
    "versions": 1,
    "is_duplicate": False,
    "redactions": (),
    "secrets": (),
}
_HEX_DIGITS: Final = frozenset("0123456789abcdef")
_LISTS: Final = ("tags", "source_files", "references", "supersedes")


def from_fields(fields: Mapping[str, Any], author: Author, *, now: datetime) -> Observation:
    """Build what ``fields`` describe, saved by ``author`` at ``now``; a field of None is not given.

    This and the two below always give a value of their own, which ``change`` completes.

    Raises:
        InvalidObservationError: if a field is unknown or missing, or a list is no list.

    Cost: about 4 µs.
    """
    values = {name: value for name, value in fields.items() if value is not None}
    _normalise(values, now)
    if "content" not in values:
        raise InvalidObservationError("content", "is missing")
    values.setdefault("session_id", author.session_id)
    return Observation(
        agent_family=author.agent_family,
        client_id=author.client_id,
        host=author.host,
        created_at=now,
        **values,
    )


def from_item(item: object, author: Author, *, now: datetime) -> Observation:
    """Build one item of ``save_many``: a mapping of fields, or an observation.

    An observation that has an id keeps its identity and its times, for it is somebody's already.
    One without is the author's own where it leaves that open.

    Raises:
        InvalidObservationError: if it is neither, or as of ``from_fields``.
    """
    if isinstance(item, Mapping):
        return from_fields(item, author, now=now)
    if not isinstance(item, Observation):
        raise InvalidObservationError("item", "is neither a dict of fields nor an Observation")
    values: dict[str, Any] = {
        name: tuple(value) for name in _LISTS if isinstance(value := getattr(item, name), list)
    }
    values["created_at"] = _to_the_millisecond(item.created_at)
    values["expires_at"] = _to_the_millisecond(item.expires_at)
    item = replace(item, **values, **_OF_A_RESULT)
    if item.id:
        return item
    return replace(
        item,
        agent_family=item.agent_family or author.agent_family,
        client_id=item.client_id or author.client_id,
        host=item.host or author.host,
        session_id=item.session_id or author.session_id,
        created_at=item.created_at or now,
        updated_at=None,
    )


def with_changes(
    observation: Observation, changes: Mapping[str, Any], *, now: datetime
) -> Observation:
    """Give ``observation`` as an edit leaves it: its author, its first time and what is unknown
    of it stay.

    Raises:
        InvalidObservationError: if a field is unknown, or a list is no list.
    """
    values = dict(changes)
    _normalise(values, now)
    return replace(observation, **values, is_held=False, secrets=())


def key_of_id(id: str) -> bytes:
    """Give the key that an id names.

    Raises:
        InvalidObservationError: if it is no whole id.
    """
    key = key_of(id)
    if key == ZERO_KEY:
        raise InvalidObservationError("id", "all zeros is no observation's id")
    return key


def path_of(path: object) -> str:
    """Give the path that a caller named.

    Raises:
        InvalidArgumentError: if it is none.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in os.fsdecode(path):
        raise InvalidArgumentError(f"path: {path!r} is no path of a file")
    return os.fsdecode(path)


def prefix_digits(prefix: object) -> str:
    """Give the hex digits that an id begins with."""
    digits = prefix.strip().lower() if isinstance(prefix, str) else ""
    if not PREFIX_DIGITS_MIN <= len(digits) <= ID_DIGITS or not _HEX_DIGITS.issuperset(digits):
        raise InvalidArgumentError(
            f"{prefix!r}: not an id; give {PREFIX_DIGITS_MIN} to {ID_DIGITS} hex digits"
        )
    return digits


def reason_body(reason: object, *, secrets: str) -> bytes | None:
    """Give the body of a tombstone: why somebody deleted; None for no reason.

    What the policy of ``secrets`` takes out of an observation is taken out of this too.
    """
    if not isinstance(reason, str) or not reason.isprintable():
        raise InvalidArgumentError("reason: is not one line of printable text")
    body = screened_text("reason", reason, secrets).encode()
    if len(body) > TEXT_BYTES_MAX:
        raise TooLargeError("reason", len(body), TEXT_BYTES_MAX)
    return body or None


def _normalise(values: dict[str, Any], now: datetime) -> None:
    if not FIELDS.issuperset(values):
        raise InvalidObservationError(
            str(next(name for name in values if name not in FIELDS)),
            f"is no field of an observation; known: {', '.join(sorted(FIELDS))}",
        )
    for name in _LISTS:
        if name in values:
            values[name] = _texts(name, values[name])
    if "ttl" in values:
        if values.get("expires_at") is not None:
            raise InvalidObservationError("ttl", "cannot go with expires_at; give one of them")
        values["expires_at"] = _expiry(values.pop("ttl"), now)
    if "expires_at" in values:
        values["expires_at"] = _to_the_millisecond(values["expires_at"])


def _texts(field: str, value: object) -> tuple[str, ...]:
    """A caller's list as a tuple; a lone string, the likeliest mistake, would be its letters."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidObservationError(field, "is not a list of strings; put it in brackets")
    return tuple(value)


def _to_the_millisecond(moment: Any) -> Any:
    """A time as it will be read back; what is none is left for ``encode_body`` to refuse."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return moment
    return from_unix_ms(unix_ms(moment))


def _expiry(ttl: object, now: datetime) -> datetime:
    if not isinstance(ttl, timedelta) or ttl <= timedelta(0):
        raise InvalidObservationError("ttl", "is not a timedelta of more than nothing")
    try:
        return now + ttl
    except OverflowError:
        raise InvalidObservationError("ttl", "ends after the year 9999; leave it out") from None
