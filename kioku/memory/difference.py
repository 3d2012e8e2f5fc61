"""What is different between two moments of the logical clock, key by key.

Each side is the fold of the events that are stamped before it (``crdt.past``); purges and
retractions count whenever they came. So the answer is a function of the events and the two times.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.crdt import past
from kioku.errors import InvalidArgumentError
from kioku.log import hlc
from kioku.log.event import PURGE, SAVE
from kioku.memory.filters import is_wanted
from kioku.memory.recall import read, time_of
from kioku.observation import Observation, key_of, unix_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.log.store import Entry
    from kioku.replica import Reading
    from kioku.view.filter import Filter

OPERATIONS: Final = ("added", "edited", "undeleted", "deleted", "purged", "superseded")
"""In the order in which they are told."""

_TOUCHED: Final = "SELECT DISTINCT key FROM event WHERE hlc >= ? AND hlc < ? AND kind IN (1, 2)"
_PURGED: Final = "SELECT min(event) FROM event WHERE kind = 3 AND hlc >= ? AND hlc < ? GROUP BY key"
_BATCH: Final = 2_000
# What an observation says; the rest is about the event, or the same in every version.
_FIELDS: Final = tuple(
    field.name
    for field in fields(Observation)
    if field.compare and field.name not in {"id", "updated_at", "is_held", "is_deleted"}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How one observation differs between two times.

    Attributes:
        operation: ``added``, ``edited``, ``undeleted``, ``deleted``, ``purged`` or ``superseded``.
        id: the observation's.
        stamped_at: when that was done.
        replica: the name of the replica that did it.
        before: what it said at the first time; None if it was not there or cannot be read.
        after: what it says at the second; None likewise.
        reason: why it was deleted, if that was said.
        superseded_by: the id of what replaces it; empty but for ``superseded``.
    """

    operation: str
    id: str
    stamped_at: datetime
    replica: str
    before: Observation | None = None
    after: Observation | None = None
    reason: str = ""
    superseded_by: str = ""

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the fields that an edit has changed."""
        if self.before is None or self.after is None:
            return ()
        one, two = self.before, self.after
        return tuple(name for name in _FIELDS if getattr(one, name) != getattr(two, name))


class Span(NamedTuple):
    """Stamps from ``first``, inclusive, to ``end``, exclusive."""

    first: int
    end: int


class _Side(NamedTuple):
    """What stands for a key at one of the two times."""

    entry: Entry | None
    observation: Observation | None


class _Placed(NamedTuple):
    """A difference and what orders it among others."""

    order: tuple[Any, ...]
    difference: Difference


def span_of(since: object, until: object, now_ms: int) -> Span:
    """Give the stamps between two times; up to what is not held now if ``until`` is None.

    Raises:
        InvalidArgumentError: if one is no time, or they are the wrong way round.
    """
    first = _stamp("since", since)
    end = hlc.horizon(now_ms) + 1 if until is None else _stamp("until", until)
    if until is not None and end < first:
        raise InvalidArgumentError("until: is before since")
    return Span(first, end)


def _stamp(name: str, moment: object) -> int:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidArgumentError(f"{name}: is not a datetime with a time zone")
    return min(hlc.pack(max(0, unix_ms(moment))), hlc.STAMP_LIMIT - 1)


def find(reading: Reading, span: Span, *, wanted: Filter | None) -> list[Difference]:
    """Give every difference; a filter is asked of what is there after, else of what was before.

    Cost: a scan of the stamps, and about 0.2 ms for each key that was touched.
    """
    rows: Any = reading.connection.execute(_TOUCHED, span).fetchall()
    keys = [row[0] for row in rows]
    found: list[_Placed] = []
    for start in range(0, len(keys), _BATCH):
        found += _compare(reading, keys[start : start + _BATCH], span, wanted)
    if wanted is None:
        found += _purges(reading, span)
    return [one.difference for one in sorted(found, key=lambda one: one.order)]


def _compare(
    reading: Reading, keys: list[bytes], span: Span, wanted: Filter | None
) -> Iterator[_Placed]:
    before = past.winners(reading.connection, keys, span.first - 1)
    after = past.winners(reading.connection, keys, span.end - 1)
    for key in keys:
        old, new = _side(reading, before.get(key)), _side(reading, after.get(key))
        operation = _operation(old, new)
        if new.entry is None or operation is None:
            continue
        if wanted is None or _is_wanted(old, new, wanted):
            yield _placed(reading, operation, key, new.entry, old=old, new=new)
        if new.observation is not None:
            yield from _superseded(reading, old, new, span, wanted)


def _side(reading: Reading, entry: Entry | None) -> _Side:
    if entry is None:
        return _Side(None, None)
    checked = reading.entry(entry.event_id)
    if checked.kind != SAVE or checked.body is None:
        return _Side(checked, None)
    return _Side(checked, read(checked.body, checked.key, checked.hlc))


def _operation(old: _Side, new: _Side) -> str | None:
    """Say what was done, from what stood before and after; None if nothing is different."""
    if new.entry is None or (old.entry and old.entry.event_id == new.entry.event_id):
        return None
    was_there = old.entry is not None and old.entry.kind == SAVE
    if new.entry.kind != SAVE:
        return "deleted" if was_there else None
    if old.entry is None:
        return "added"
    if not was_there:
        return "undeleted"
    is_same = old.observation is not None and _says(old.observation) == _says(new.observation)
    return None if is_same else "edited"


def _says(observation: Observation | None) -> list[Any]:
    return [getattr(observation, name, None) for name in _FIELDS]


def _is_wanted(old: _Side, new: _Side, wanted: Filter) -> bool:
    side = new if new.observation is not None else old
    if side.entry is None or side.observation is None:
        return False
    return is_wanted(side.observation, side.entry.body or b"", wanted)


def _superseded(
    reading: Reading, old: _Side, new: _Side, span: Span, wanted: Filter | None
) -> Iterator[_Placed]:
    """Give what an observation replaces that it did not replace before."""
    assert new.entry is not None, "what says something stands in an event"
    assert new.observation is not None, "it is asked only of what says something"
    known = old.observation.supersedes if old.observation is not None else ()
    targets = {key_of(one) for one in new.observation.supersedes if one not in known}
    for key, entry in past.winners(reading.connection, targets, span.end - 1).items():
        side = _side(reading, entry)
        is_hidden = side.observation is not None and entry.order < new.entry.order
        if is_hidden and (wanted is None or _is_wanted(side, side, wanted)):
            yield _placed(
                reading, "superseded", key, new.entry, old=side, new=side, by=new.observation.id
            )


def _purges(reading: Reading, span: Span) -> Iterator[_Placed]:
    rows: Any = reading.connection.execute(_PURGED, span).fetchall()
    for (row,) in rows:
        entry = reading.entry(row)
        assert entry.kind == PURGE, "only purges were asked for"
        nothing = _Side(None, None)
        yield _placed(reading, "purged", entry.key, entry, old=nothing, new=nothing)


def _placed(
    reading: Reading,
    operation: str,
    key: bytes,
    entry: Entry,
    *,
    old: _Side,
    new: _Side,
    by: str = "",
) -> _Placed:
    is_deleted = operation == "deleted" and entry.body is not None
    difference = Difference(
        operation=operation,
        id=key.hex(),
        stamped_at=time_of(entry.hlc),
        replica=reading.log_name(entry.log_id),
        before=old.observation,
        after=new.observation,
        reason=(entry.body or b"").decode("utf-8", "replace") if is_deleted else "",
        superseded_by=by,
    )
    return _Placed((OPERATIONS.index(operation), *entry.order, key), difference)
