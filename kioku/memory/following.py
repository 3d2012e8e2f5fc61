"""Following a memory: what was written since a place in its log, what differs since a time.

Two questions that look alike. ``changes`` and ``watch`` tell what this store has come to know, in
the order it did: the cursor is the number of an event's row, which only rises, so that whoever
kept one goes on where it was, misses nothing and sees nothing twice. ``diff`` compares two moments
of the logical clock, so that every machine gives the same answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import InvalidArgumentError
from kioku.memory.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Unpack

    from kioku.memory.difference import Difference
    from kioku.memory.filters import Filters, Names
    from kioku.memory.news import Changes, LoggedChange
    from kioku.replica import Reading
    from kioku.view.filter import Filter

POLL_S: Final = 0.05
"""Between two looks at the log: half of what a person takes for at once, and 0.1 % of a core."""

CHANGES_MAX: Final = 10_000


class Following(Handle):
    """Changes as they come, and differences between two times."""

    def changes(
        self,
        after: int | None = None,
        *,
        limit: int = 1_000,
        project: Names = None,
        **filters: Unpack[Filters],
    ) -> Changes:
        """Give what was written here after a cursor, in the order this store came to know it.

        None gives nothing but the present cursor; 0 begins with the first event. The answer's
        ``cursor`` is where to go on; if fewer than ``limit`` changes came, it is the end. A change
        of what is purged or retracted by now has no text, and with a filter it is left out.

        Raises:
            InvalidArgumentError: if ``after``, ``limit`` or a filter is out of range; a cursor that
                this store has not reached is another's, or of before a restore.
        """
        from kioku.memory import news

        _check("after", after, 2**63 - 1)
        _check("limit", limit, CHANGES_MAX)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            wanted = _wanted(reading, project, filters, now_ms)
            return news.read_after(reading, after, limit=limit, wanted=wanted)

    def watch(
        self,
        after: int | None = None,
        *,
        is_stopped: Callable[[], bool] | None = None,
        project: Names = None,
        **filters: Unpack[Filters],
    ) -> Iterator[LoggedChange]:
        """Give each change after a cursor, and go on as they come, from any process; never ends.

        From now on for None. A change is there some 50 ms after it was saved. ``is_stopped`` is
        asked between two looks and ends it.

        Raises:
            StoreAccessError: if the store's file is moved, deleted or replaced meanwhile.
        """
        cursor = self.changes().cursor if after is None else after
        while is_stopped is None or not is_stopped():
            found = self.changes(cursor, project=project, **filters)
            yield from found.changes
            if found.cursor == cursor:
                self._replica.check_file()
                time.sleep(POLL_S)
            cursor = found.cursor

    def last_changes(
        self,
        count: int,
        *,
        project: Names = None,
        **filters: Unpack[Filters],
    ) -> Changes:
        """Give the last ``count`` changes, the oldest of them first, and the present cursor.

        Cost: a look at the changes from the end on, until that many are found, or 20,000 were
        looked at.
        """
        from kioku.memory import news

        _check("count", count, CHANGES_MAX)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            wanted = _wanted(reading, project, filters, now_ms)
            return news.read_last(reading, count, wanted=wanted)

    def diff(self, *, project: Names = None, **filters: Unpack[Filters]) -> list[Difference]:
        """Compare what stood at two times: what was added, edited, deleted, purged, superseded.

        From ``since``, which must be given, to ``until``, which is now unless given. Times are
        those of the events' stamps, so that every machine that holds the same events gives the
        same answer. Only the outcome counts: what was added and deleted in between is not told. In
        the order of ``difference.OPERATIONS``, the newest last. With a filter no purge is told.

        Raises:
            InvalidArgumentError: if a time is none, or a filter is out of range.
        """
        from kioku.memory import difference

        now_ms = self.now_ms()
        since, until = filters.pop("since", None), filters.pop("until", None)
        span = difference.span_of(since, until, now_ms)
        with self._replica.reading(now_ms=now_ms) as reading:
            return difference.find(reading, span, wanted=_wanted(reading, project, filters, now_ms))


def _wanted(
    reading: Reading, project: Names, filters: Mapping[str, Any], now_ms: int
) -> Filter | None:
    """The filter, with every name of its projects; None if nothing was asked for."""
    from kioku.memory.filters import make_filter
    from kioku.memory.synonyms import all_names

    wanted = make_filter(project, filters)
    if project is None and not filters.keys() - {"include_superseded", "include_aliases"}:
        return None
    if not wanted.projects:
        return wanted
    return wanted._replace(projects=all_names(reading, wanted.projects, now_ms))


def _check(name: str, value: object, most: int) -> None:
    is_absent = name == "after" and value is None
    if not is_absent and not (type(value) is int and 0 <= value <= most):
        raise InvalidArgumentError(f"{name}: {value!r} is not a whole number from 0 to {most:,}")
