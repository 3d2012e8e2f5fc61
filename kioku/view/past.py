"""The view as it was: what was shown at a moment, found by the code that finds what is shown now.

Most of it has not changed since. So what is shown now and is no greater than the moment is found
where it stands, and beside it, in tables of the same names in memory, what differed then:

    record, record_text …         up to the moment     the keys that nothing greater has changed
    temp.record, temp.record_text …   all              what was shown of the others

Supersession is asked here, of both: what hides one may stand in the other. Nothing is written to
the store, and nothing is left of the tables when the call is over.
"""

from __future__ import annotations

from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import apsw

from kioku.crdt import past
from kioku.crdt.standing import Change
from kioku.log.hlc import STAMP_LIMIT
from kioku.observation import UnreadableBodyError, read_fields
from kioku.view import search as present
from kioku.view.rank import Candidate
from kioku.view.schema import ObservationView, create_shadow, drop_shadow
from kioku.view.search import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kioku.view.filter import Filter

Order = tuple[int, bytes, int, bytes]
T = TypeVar("T")
E = TypeVar("E", Match, Candidate)

_CHANGED: Final = """
    SELECT key FROM record INDEXED BY record_newest WHERE hlc > :last
    UNION SELECT key FROM unreadable WHERE hlc > :last"""
_PLACES: Final = """
    SELECT e.event, r.project, e.key, e.hlc, l.log_id, e.seq, e.hash FROM carray(?) k
    CROSS JOIN record r ON r.event = k.value CROSS JOIN event e ON e.event = r.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"""
_SUPERSEDERS: Final = """
    SELECT n.key, n.expires_ms, e.hlc, l.log_id, e.seq, e.hash
    FROM main.superseded s JOIN main.record n ON n.event = s.by_event
    JOIN event e ON e.event = n.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log
    WHERE s.key = ? AND n.hlc <= ?"""


class Moment(NamedTuple):
    """A time in the past or the future: the greatest stamp that counts, and the wall."""

    last: int
    now_ms: int


class Place(NamedTuple):
    """Where an observation stands among others."""

    key: bytes
    order: Order
    project: str


class Half(NamedTuple):
    """One of the two places to look: what ``wanted`` finds there counts if ``keeps`` says so."""

    wanted: Filter
    keeps: Callable[[Place], bool]
    is_shadow: bool


class _Superseder(NamedTuple):
    key: bytes
    expires_ms: int | None
    order: Order


def recent(
    connection: apsw.Connection,
    *,
    filter: Filter,
    limit: int,
    moment: Moment,
    prefer: tuple[str, ...] = (),
) -> list[Match]:
    """The greatest events first, of what was shown at ``moment``; first those in ``prefer``."""
    past = Past(connection, moment)

    def newest(half: Half) -> list[tuple[Match, Place]]:
        def find(asked: int) -> list[Match]:
            return present.recent(
                connection, filter=half.wanted, limit=asked, now_ms=moment.now_ms, prefer=prefer
            )

        return past.enough(find, half, limit)

    found = [one for each in past.in_each_half(newest, filter) for one in each]
    return in_order(found, prefer)[:limit]


def in_order(found: list[tuple[T, Place]], prefer: tuple[str, ...]) -> list[T]:
    """What was found in both halves: what is preferred first, then the greatest event."""
    found.sort(key=lambda one: (one[1].project in prefer, one[1].order), reverse=True)
    return [one for one, _ in found]


def changed_keys(connection: apsw.Connection, last: int) -> set[bytes]:
    """Give the keys of which something else may have stood at ``last`` than stands now.

    Cost: grows with what has changed since.
    """
    rows = connection.execute(_CHANGED, {"last": last})
    return past.changed_keys(connection, last) | {row[0] for row in rows}


def end_of(moment: Moment, until: int | None) -> int | None:
    """Give the first stamp that does not count; past the last there is nothing to leave out."""
    stamps = [] if until is None else [until]
    if moment.last < STAMP_LIMIT - 1:
        stamps.append(moment.last + 1)
    return min(stamps, default=None)


class Past:
    """What differed at a moment, and how to find in both halves."""

    def __init__(self, connection: apsw.Connection, moment: Moment) -> None:
        """Find what differed. Cost: grows with what has changed since."""
        self._connection = connection
        self._moment = moment
        self._changed = changed_keys(connection, moment.last)
        self.shown = past.shown(connection, self._changed, moment.last)
        self._superseders = self._read_superseders()

    def _read_superseders(self) -> dict[bytes, list[_Superseder]]:
        found: dict[bytes, list[_Superseder]] = {}
        for key, one in self.shown.items():
            try:
                fields = read_fields(one.body)
            except UnreadableBodyError:
                continue
            order = (one.hlc, one.log_id, one.seq, one.hash)
            for target in fields.get(10, ()):
                superseder = _Superseder(key, fields.get(16), order)
                found.setdefault(target, []).append(superseder)
        return found

    def in_each_half(self, look: Callable[[Half], T], filter: Filter) -> list[T]:
        """Look where what has not changed stands, then among what has: names mean that, then."""
        until = end_of(self._moment, filter.until) if self._changed else filter.until
        wanted = filter._replace(until=until, include_superseded=True)

        def is_seen(place: Place) -> bool:
            return filter.include_superseded or not self.superseders(place)

        def is_unchanged(place: Place) -> bool:
            return place.key not in self._changed and is_seen(place)

        found = [look(Half(wanted, is_unchanged, is_shadow=False))]
        if self.shown:
            with self._shadow():
                found.append(look(Half(wanted, is_seen, is_shadow=True)))
        return found

    def enough(
        self, find: Callable[[int], Sequence[E]], half: Half, limit: int
    ) -> list[tuple[E, Place]]:
        """Ask for more until ``limit`` is kept or there is no more; what is found has an event."""
        asked = limit
        while True:
            found = find(asked)
            places = self.places([one.event_id for one in found])
            kept = [(one, place) for one in found if half.keeps(place := places[one.event_id])]
            if len(kept) >= limit or len(found) < asked:
                return kept
            asked *= 4

    def places(self, event_ids: Sequence[int]) -> dict[int, Place]:
        """Give the places of events that the names of the view mean now."""
        if not event_ids:
            return {}
        rows: Any = self._connection.execute(_PLACES, (apsw.carray(array("q", event_ids)),))
        return {event: Place(key, tuple(order), project) for event, project, key, *order in rows}

    @contextmanager
    def _shadow(self) -> Iterator[None]:
        """Let the names of the view mean what differed, for the length of a block."""
        create_shadow(self._connection)
        try:
            changes = [Change(key, None, one) for key, one in self.shown.items()]
            ObservationView().apply(self._connection, changes)
            yield
        finally:
            drop_shadow(self._connection)

    def superseders(self, place: Place) -> list[bytes]:
        """Give the keys of what was visible at the moment, replaces this and is greater."""
        rows: Any = self._connection.execute(_SUPERSEDERS, (place.key, self._moment.last))
        found = [_Superseder(key, expires, tuple(order)) for key, expires, *order in rows]
        found = [one for one in found if one.key not in self._changed]
        found += self._superseders.get(place.key, ())
        return [
            one.key
            for one in found
            if one.order > place.order
            and (one.expires_ms is None or one.expires_ms > self._moment.now_ms)
        ]
