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
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from kioku.crdt import past
from kioku.crdt.standing import Change
from kioku.log.hlc import STAMP_LIMIT
from kioku.observation import UnreadableBodyError, read_fields
from kioku.view import search as present
from kioku.view.schema import ObservationView, create_shadow, drop_shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.view.filter import Filter
    from kioku.view.search import Match

    Find = Callable[[Filter, int], list[Match]]

_Order = tuple[int, bytes, int, bytes]

_CHANGED: Final = """
    SELECT key FROM record INDEXED BY record_newest WHERE hlc > :last
    UNION SELECT key FROM unreadable WHERE hlc > :last"""
_PLACES: Final = """
    SELECT e.event, e.key, e.hlc, l.log_id, e.seq, e.hash FROM carray(?) k
    CROSS JOIN event e ON e.event = k.value
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


class Placed(NamedTuple):
    """A match and what tells its place among others."""

    match: Match
    key: bytes
    order: _Order


class _Superseder(NamedTuple):
    expires_ms: int | None
    order: _Order


def recent(
    connection: apsw.Connection, *, filter: Filter, limit: int, moment: Moment
) -> list[Match]:
    """The greatest events first, of what was shown at ``moment``."""

    def find(wanted: Filter, asked: int) -> list[Match]:
        return present.recent(connection, filter=wanted, limit=asked, now_ms=moment.now_ms)

    found = _Past(connection, moment).find(find, filter=filter, limit=limit)
    found.sort(key=lambda one: one.order, reverse=True)
    return [one.match for one in found[:limit]]


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


class _Past:
    """What differed at a moment, and how to find in both halves."""

    def __init__(self, connection: apsw.Connection, moment: Moment) -> None:
        """Find what differed. Cost: grows with what has changed since."""
        self._connection = connection
        self._moment = moment
        self._changed = changed_keys(connection, moment.last)
        self._shown = past.shown(connection, self._changed, moment.last)
        self._superseders = self._read_superseders()

    def _read_superseders(self) -> dict[bytes, list[_Superseder]]:
        found: dict[bytes, list[_Superseder]] = {}
        for one in self._shown.values():
            try:
                fields = read_fields(one.body)
            except UnreadableBodyError:
                continue
            superseder = _Superseder(fields.get(16), (one.hlc, one.log_id, one.seq, one.hash))
            for target in fields.get(10, ()):
                found.setdefault(target, []).append(superseder)
        return found

    def find(self, find: Find, *, filter: Filter, limit: int) -> list[Placed]:
        """Find up to ``limit`` in each half: what has not changed first, then what has."""
        wanted = replace(filter, until=end_of(self._moment, filter.until), include_superseded=True)

        def is_unchanged(one: Placed) -> bool:
            return one.key not in self._changed and is_seen(one)

        def is_seen(one: Placed) -> bool:
            return filter.include_superseded or not self._is_superseded(one)

        found = self._enough(find, wanted, limit, is_unchanged)
        if self._shown:
            with self._shadow():
                found += self._enough(find, wanted, limit, is_seen)
        return found

    def _enough(
        self, find: Find, wanted: Filter, limit: int, keeps: Callable[[Placed], bool]
    ) -> list[Placed]:
        """Ask for more until enough is kept or there is no more."""
        asked = limit
        while True:
            matches = find(wanted, asked)
            kept = [one for one in self._placed(matches) if keeps(one)]
            if len(kept) >= limit or len(matches) < asked:
                return kept[:limit]
            asked *= 4

    def _placed(self, matches: list[Match]) -> list[Placed]:
        if not matches:
            return []
        events = apsw.carray(array("q", (match.event_id for match in matches)))
        rows: Any = self._connection.execute(_PLACES, (events,))
        places = {row[0]: (row[1], tuple(row[2:])) for row in rows}
        return [Placed(match, *places[match.event_id]) for match in matches]

    @contextmanager
    def _shadow(self) -> Iterator[None]:
        """Let the names of the view mean what differed, for the length of a block."""
        create_shadow(self._connection)
        try:
            changes = [Change(key, None, one) for key, one in self._shown.items()]
            ObservationView().apply(self._connection, changes)
            yield
        finally:
            drop_shadow(self._connection)

    def _is_superseded(self, one: Placed) -> bool:
        """Whether something that was visible at the moment replaces it and is greater."""
        rows: Any = self._connection.execute(_SUPERSEDERS, (one.key, self._moment.last))
        superseders = [
            _Superseder(row[1], tuple(row[2:])) for row in rows if row[0] not in self._changed
        ]
        superseders += self._superseders.get(one.key, ())
        return any(
            superseder.order > one.order
            and (superseder.expires_ms is None or superseder.expires_ms > self._moment.now_ms)
            for superseder in superseders
        )
