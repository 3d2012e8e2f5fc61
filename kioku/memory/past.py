"""What a memory held at a moment: the reads of ``recall``, asked of the events up to then.

A moment takes in all of its millisecond, the grain of a stamp. What was purged or retracted since
is not told any more, and where a body is gone there is nothing to show: never an older version in
its stead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from kioku.crdt import past as fold
from kioku.errors import InvalidArgumentError
from kioku.log import hlc
from kioku.log.event import TOMBSTONE
from kioku.memory import history
from kioku.memory.recall import Found, is_alive, read
from kioku.memory.versions import count_last_words
from kioku.observation import unix_ms
from kioku.view import past as view
from kioku.view.past import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.filter import Filter
    from kioku.view.search import Match

_COUNTERS: Final = (1 << hlc.COUNTER_BITS) - 1


def moment_of(as_of: object) -> Moment:
    """Give the moment that a caller names.

    Raises:
        InvalidArgumentError: if it is no time.
    """
    if not isinstance(as_of, datetime) or as_of.tzinfo is None:
        raise InvalidArgumentError("as_of: is not a datetime with a time zone")
    now_ms = unix_ms(as_of)
    stamp = (now_ms << hlc.COUNTER_BITS) | _COUNTERS
    return Moment(last=max(-1, min(stamp, hlc.STAMP_LIMIT - 1)), now_ms=now_ms)


def get(reading: Reading, key: bytes, moment: Moment) -> Observation | None:
    """Give what could be read of a key; None if it was unknown, deleted or expired or is erased."""
    shown = fold.shown(reading.connection, (key,), moment.last).get(key)
    found = None if shown is None else _read(reading, shown.event_id, moment)
    if found is None or not is_alive(found.observation, moment.now_ms):
        return None
    return found.observation


def newest(reading: Reading, *, wanted: Filter, limit: int, moment: Moment) -> list[Found]:
    """Give the observations that were last changed by then, the greatest stamps first."""
    matches = view.recent(reading.connection, filter=wanted, limit=limit, moment=moment)
    found = (_read(reading, match.event_id, moment) for match in matches)
    return [one for one in found if one is not None]


def search(
    reading: Reading, query: str, *, moment: Moment, **options: Any
) -> Iterator[tuple[Match, Found | None]]:
    """Give what matched at the moment, the best first; ``options`` are those of the view."""
    from kioku.view import past_search

    for match in past_search.search(reading.connection, query, moment=moment, **options):
        yield match, _read(reading, match.event_id, moment)


def superseders(reading: Reading, event_id: int, moment: Moment) -> list[str]:
    """Give the ids of what superseded an observation at the moment, ascending."""
    entry = reading.entry(event_id)
    place = view.Place(entry.key, entry.order, project="")
    found = view.Past(reading.connection, moment).superseders(place)
    return sorted(key.hex() for key in found)


def deleted(reading: Reading, *, wanted: Filter, limit: int, moment: Moment) -> list[Found]:
    """Give what was deleted at the moment and could still be read, the latest deletion first."""
    wanted = wanted._replace(until=view.end_of(moment, wanted.until))
    changed = view.changed_keys(reading.connection, moment.last)
    gone = [one for one in history.tombstones(reading, wanted) if one.key not in changed]
    gone += [
        history.Tombstone(entry.hlc, entry.event_id, key)
        for key, entry in fold.winners(reading.connection, changed, moment.last).items()
        if entry.kind == TOMBSTONE and entry.hlc >= (wanted.since or 0)
        if wanted.until is None or entry.hlc < wanted.until
    ]
    return history.readable(reading, gone, wanted=wanted, limit=limit, last=moment.last)


def _read(reading: Reading, event_id: int, moment: Moment) -> Found | None:
    """Give what an event says, as it was seen then; checked, as everything that is read."""
    entry = reading.entry(event_id)
    observation = None if entry.body is None else read(entry.body, entry.key, entry.hlc)
    if observation is None:
        return None
    versions = count_last_words(reading.connection, entry.key, moment.last)
    return Found(entry, replace(observation, versions=versions))
