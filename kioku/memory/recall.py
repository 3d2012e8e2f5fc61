"""Observations as they come back: from the event that a reader may see to the value it gets.

Every read of ``Memory`` goes through here, so that what is never shown (deleted, purged, without
a body, not decodable) is decided in one place: a reader gets an observation or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from kioku.errors import InvalidArgumentError
from kioku.log import hlc
from kioku.log.event import slot_of
from kioku.observation import UnreadableBodyError, decode_body, from_unix_ms, unix_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kioku.log.store import Entry
    from kioku.memory.results import Hit
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.search import Filter

_WRITERS: Final = """
    SELECT count(DISTINCT b.log) FROM version v JOIN event e ON e.event = v.event
    JOIN branch b ON b.branch = e.branch WHERE v.slot = ? AND e.kind = 1 AND e.body IS NOT NULL"""

LIMIT_MAX: Final = 10_000
"""Results of one call: more than anybody reads, and room for a script."""

MODES: Final = ("or", "and", "and_or")


class Filters(TypedDict, total=False):
    """What ``search`` and ``list`` can be narrowed by; None is not given.

    ``since`` is inclusive and ``until`` exclusive; both compare stamps, which every machine reads
    alike, not the ``created_at`` that people see.
    """

    memory_type: str | None
    tags: Iterable[str] | None
    agent_family: str | None
    client_id: str | None
    host: str | None
    session_id: str | None
    since: datetime | None
    until: datetime | None
    importance: int | None
    include_superseded: bool


class Found(NamedTuple):
    """An observation and the event that it stands for, which places it among others."""

    entry: Entry
    observation: Observation


def make_filter(project: str | None, given: Mapping[str, Any]) -> Filter:
    """Check what a caller wants to see and put it in the view's terms.

    Raises:
        InvalidArgumentError: if a filter is unknown or of the wrong kind.
    """
    from kioku.view.search import Filter

    unknown = given.keys() - Filters.__optional_keys__
    if unknown:
        raise InvalidArgumentError(f"{min(unknown)}: is no filter of a search")
    values = {"project": project, **given}
    chosen = {name: _CHECKS[name](name, v) for name, v in values.items() if v is not None}
    return Filter(**chosen)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or (not value.isascii() and _SURROGATE.search(value)):
        raise InvalidArgumentError(f"{name}: is not text")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{name}: is not a list of texts")
    return tuple(_text(name, one) for one in value)


def _importance(name: str, value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 5:
        raise InvalidArgumentError(f"{name}: is not a number from 1 to 5")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name}: is neither True nor False")
    return value


def _stamp(name: str, moment: object) -> int:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidArgumentError(f"{name}: is not a datetime with a time zone")
    return min(hlc.pack(max(0, unix_ms(moment))), hlc.STAMP_LIMIT - 1)


_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CHECKS: Final[dict[str, Callable[[str, object], Any]]] = {
    "project": _text,
    "memory_type": _text,
    "tags": _texts,
    "agent_family": _text,
    "client_id": _text,
    "host": _text,
    "session_id": _text,
    "since": _stamp,
    "until": _stamp,
    "importance": _importance,
    "include_superseded": _flag,
}


def check_search(query: object, *, limit: object, mode: object) -> None:
    """Refuse what is no search at all; any text is a query."""
    check_limit(limit)
    if not isinstance(query, str):
        raise InvalidArgumentError(f"query: {type(query).__name__} is not text")
    if mode not in MODES:
        raise InvalidArgumentError(f"mode: {mode!r} is none of {', '.join(MODES)}")


def check_limit(limit: object) -> None:
    """Refuse a number of results that is none, or more than anybody can read."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LIMIT_MAX:
        raise InvalidArgumentError(f"limit: {limit!r} is not a number from 1 to {LIMIT_MAX:,}")


def search(
    reading: Reading, query: str, *, wanted: Filter, limit: int, now_ms: int, mode: Any
) -> list[Hit]:
    """Give the best matches of a query, each with the place that matched."""
    from kioku.memory.results import Hit
    from kioku.view.search import search as find
    from kioku.view.search import snippet

    matches = find(reading.connection, query, filter=wanted, limit=limit, now_ms=now_ms, mode=mode)
    found = [(match, read_event(reading, match.event_id)) for match in matches]
    return [
        Hit(
            one.observation,
            match.score,
            snippet(one.observation.content, query),
            match.is_substring,
        )
        for match, one in found
        if one is not None
    ]


def newest(reading: Reading, *, wanted: Filter, limit: int, now_ms: int) -> list[Found]:
    """Give the observations whose last change has the greatest stamps, the greatest first."""
    from kioku.view.search import recent

    matches = recent(reading.connection, filter=wanted, limit=limit, now_ms=now_ms)
    found = (read_event(reading, match.event_id) for match in matches)
    return [one for one in found if one is not None]


def read_event(reading: Reading, event_id: int) -> Found | None:
    """Give what an event says that a record of the view stands for."""
    entry = reading.entry(event_id)
    if entry.body is None:
        return None
    held = reading.connection.execute("SELECT 1 FROM held WHERE event = ?", (event_id,)).get
    observation = read(entry.body, entry.key, entry.hlc, is_held=held is not None)
    if observation is None:
        return None
    return Found(entry, with_versions(reading, entry.key, observation))


def read(body: bytes, key: bytes, stamp: int, *, is_held: bool = False) -> Observation | None:
    """Give what an event's body says; None if this kioku cannot read it (doctor counts those)."""
    try:
        return decode_body(body, id=key.hex(), updated_at=time_of(stamp), is_held=is_held)
    except UnreadableBodyError:
        return None


def read_shown(reading: Reading, key: bytes) -> Observation | None:
    """Give what a reader may see of a key, expired or not; None if there is nothing."""
    shown = reading.shown(key)
    observation = shown and read(shown.body, key, shown.hlc, is_held=shown.held)
    return observation and with_versions(reading, key, observation)


def with_versions(reading: Reading, key: bytes, observation: Observation) -> Observation:
    """Say how many logs have a last word on a key that can be read here.

    A log's own edits follow one another; only between two logs can one have been written without
    knowledge of the other, so that what lost is worth a look.
    """
    count: int = reading.connection.execute(_WRITERS, (slot_of(key),)).get
    return observation if count == observation.versions else replace(observation, versions=count)


def time_of(stamp: int) -> datetime:
    """Give the moment (aware, UTC) that a stamp belongs to."""
    return from_unix_ms(hlc.unix_ms(stamp))


def is_alive(observation: Observation, now_ms: int) -> bool:
    """Whether it has not expired."""
    return observation.expires_at is None or unix_ms(observation.expires_at) > now_ms
