"""What reads a memory: each call is one consistent read, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.errors import AmbiguousIdError, NotFoundError
from kioku.memory import recall
from kioku.memory.handle import Handle
from kioku.memory.intake import key_of_id, prefix_digits
from kioku.memory.synonyms import all_names

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

    from kioku.memory.filters import Filters, Names
    from kioku.memory.hit import Hit
    from kioku.memory.ranker import Ranker
    from kioku.memory.results import HistoryEntry
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.filter import Filter
    from kioku.view.past import Moment

    # ``list`` is a method here, so the class cannot name the type by that word.
    Observations = list[Observation]
    HistoryEntries = list[HistoryEntry]
    Hits = list[Hit]


def _of_all_names(reading: Reading, wanted: Filter, now_ms: int) -> Filter:
    """The filter with every name of its projects: what is saved under one is found under all."""
    if not wanted.projects:
        return wanted
    return wanted._replace(projects=all_names(reading, wanted.projects, now_ms))


def _moment(as_of: datetime | None) -> Moment | None:
    if as_of is None:
        return None
    from kioku.memory.past import moment_of

    return moment_of(as_of)


class Finding(Handle):
    """Searching, listing and looking up."""

    def search(
        self,
        query: str = "",
        *,
        project: Names = None,
        limit: int = 10,
        mode: str = "or",
        prefer_project: Names = None,
        substring: bool = False,
        explain: bool = False,
        ranker: Ranker | None = None,
        as_of: datetime | None = None,
        **filters: Unpack[Filters],
    ) -> Hits:
        """Find observations by their words, the best first; any string is a query.

        A blank query gives the newest.

        Args:
            query: words; also ``"a phrase"``, ``-word`` and ``begin*``.
            project: only this one, or any of these; any name of it will do.
            limit: at most so many.
            mode: how many of the words must be there: ``or`` any, ``and`` all, ``and_or`` first
                what has all and then what has any.
            prefer_project: what lies in it counts twice, and comes first among equals.
            substring: look for the query's letters in all observations, where too few are found by
                words; else only the newest 20,000 are looked through, 2,000 if any was found.
            explain: give each hit an ``explanation`` of its score.
            ranker: a second opinion on the best 100, fused with the first by reciprocal ranks.
            as_of: search what there was at that time; see ``list``.
            **filters: see ``Filters``.

        Raises:
            InvalidArgumentError: if ``limit``, ``mode`` or a filter is out of range.
        """
        from kioku.memory.filters import check_search, make_filter, names
        from kioku.memory.searching import Question, answer

        wanted = make_filter(project, filters)
        check_search(query, limit=limit, mode=mode)
        preferred = names("prefer_project", () if prefer_project is None else prefer_project)
        moment, now_ms = _moment(as_of), self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            wanted = _of_all_names(reading, wanted, now_ms)
            if preferred:
                preferred = all_names(reading, preferred, now_ms)
            question = Question(
                query, wanted, limit, mode, preferred, substring, explain, ranker, moment
            )
            return answer(reading, question, now_ms=now_ms)

    def get(self, id: str, *, as_of: datetime | None = None) -> Observation | None:
        """Give an observation by its full id; None if it is unknown, deleted, purged or expired.

        ``as_of`` asks what it was at that time: see ``list``.
        """
        key, now_ms = key_of_id(id), self.now_ms()
        moment = _moment(as_of)
        with self._replica.reading(now_ms=now_ms) as reading:
            if moment is not None:
                from kioku.memory import past

                return past.get(reading, key, moment)
            observation = recall.read_shown(reading, key)
        if observation is None or not recall.is_alive(observation, now_ms):
            return None
        return observation

    def list(
        self,
        *,
        project: Names = None,
        limit: int = 100,
        include_deleted: bool = False,
        as_of: datetime | None = None,
        **filters: Unpack[Filters],
    ) -> Observations:
        """Give the newest observations, by the stamp of their last change, the greatest first.

        ``include_deleted`` adds the deleted ones whose last version can still be read, marked
        ``is_deleted`` and placed by the time of their deletion.

        ``as_of`` asks what there was at that time, its whole millisecond included: what had been
        saved, deleted, superseded and had expired by then. What was purged or erased since is not
        shown. A time that is still to come shows what will have expired.
        """
        from kioku.memory import history
        from kioku.memory.filters import check_limit, make_filter

        wanted = make_filter(project, filters)
        check_limit(limit)
        moment, now_ms = _moment(as_of), self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            wanted = _of_all_names(reading, wanted, now_ms)
            if moment is not None:
                from kioku.memory import past

                found = past.newest(reading, wanted=wanted, limit=limit, moment=moment)
                if include_deleted:
                    found += past.deleted(reading, wanted=wanted, limit=limit, moment=moment)
            else:
                found = recall.newest(reading, wanted=wanted, limit=limit, now_ms=now_ms)
                if include_deleted:
                    found += history.deleted(reading, wanted=wanted, limit=limit)
        return history.in_order(found, limit=limit)

    def history(self, id: str) -> HistoryEntries:
        """Give every version, deletion and purge of an observation, the greatest stamp first.

        Raises:
            NotFoundError: if no event here is about this id.
        """
        from kioku.memory import history

        key, now_ms = key_of_id(id), self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            entries = history.entries(reading, key)
        if not entries:
            raise NotFoundError(f"{id}: nothing here has ever had this id")
        return entries

    def resolve_id(self, prefix: str) -> str:
        """Give the one full id that begins with ``prefix`` (at least 6 hex digits).

        Raises:
            NotFoundError: if there is none.
            AmbiguousIdError: if there are several.
        """
        digits = prefix_digits(prefix)
        with self._replica.reading(now_ms=self.now_ms()) as reading:
            keys = reading.keys_with_prefix(digits)
        if not keys:
            raise NotFoundError(f"{prefix}: no observation here has an id that begins so")
        if len(keys) > 1:
            raise AmbiguousIdError(digits, len(keys))
        return keys[0].hex()
