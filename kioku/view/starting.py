"""What an agent that starts is told of, in SQL over ``record r``: decisions, threads, news.

The rules are these, and nothing else (docs/adr/0090). All of them see only what is shown: nothing
deleted, superseded, expired or held by a clock that is ahead.

decisions   of type ``decision``; the greatest importance first, then the newest
threads     the newest of type ``summary``; then what has an open tag; then each ``bug``; the
            greatest importance first, then the newest. Not decisions, not what has a closed tag
news        what else came here after a visit and is somebody else's; the newest first

A **visit** is the first save of the last session in which the one who starts saved before, by its
place in the order in which this store came to know things: so what another machine wrote long ago
and sent late is news too. Somebody else is another agent family or another host, or any
author on whose behalf another machine wrote.

Decisions are looked for in all records; threads, news and visits in the newest ``SCANNED_MAX`` of
the projects: what twenty thousand later notes have buried is neither open nor new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.log.event import KEY_RANDOM_BYTES, slot_of
from kioku.view.filter import Filter
from kioku.view.schema import TAG_SEPARATOR
from kioku.view.scope import make_scope

if TYPE_CHECKING:
    import apsw

OPEN_TAGS: Final = (
    "todo",
    "open",
    "handover",
    "blocked",
    "question",
    "next",
    "wip",
    "follow-up",
)
SCANNED_MAX: Final = 20_000
"""As many as a search by letters looks through: some 10 ms."""

CLOSED_TAGS: Final = ("done", "closed", "fixed", "resolved", "answered", "wontfix")


class Identity(NamedTuple):
    """Who starts: an agent family on a host, in a session."""

    agent_family: str
    host: str
    session_id: str


class Visit(NamedTuple):
    """When one was here last: the number of an event and its stamp."""

    event_id: int
    hlc: int


class Places(NamedTuple):
    """The events that the first of some observations stand for, and whether there are more."""

    events: list[int]
    has_more: bool


class Outlook:
    """One look at what there is to tell, at one moment, of some projects; of all if none is given.

    ``since`` is a least stamp, which takes the place of the last visit.

    Cost: decisions read every record of the projects, 10 ms for 100,000; the rest 20 ms at most.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        identity: Identity,
        *,
        projects: tuple[str, ...],
        now_ms: int,
        since: int | None,
    ) -> None:
        self._connection = connection
        self._scope = make_scope(connection, Filter(projects=projects), now_ms)
        self._identity: dict[str, Any] = {
            "family": identity.agent_family,
            "host": identity.host,
            "session": identity.session_id,
            "least": self._least_recent(),
        }
        self.visit = None if since is not None else self._last_visit()
        """None if the one who starts has never saved here, or another time was asked for."""
        self._arrived = self._after(since)
        self._is_others = self._others()
        self._last_summary = self._newest_summary()

    def decisions(self, limit: int) -> Places:
        """Give the decisions in force."""
        return self._ask("r.memory_type = 'decision'", "r.importance DESC", limit)

    def threads(self, limit: int) -> Places:
        """Give what was left open."""
        order = f"r.event IS :last DESC, {_HAS_OPEN} DESC, r.importance DESC"
        return self._ask(f"{_IS_RECENT} AND {_IS_THREAD}", order, limit)

    def news(self, limit: int) -> Places:
        """Give what others added that is neither."""
        neither = f"r.memory_type <> 'decision' AND NOT {_IS_THREAD}"
        return self._ask(f"{_IS_RECENT} AND {self._is_news} AND {neither}", "", limit)

    def is_news(self, event: int) -> bool:
        """Whether an observation is among what others added."""
        sql = f"SELECT {self._is_news} FROM record r WHERE r.event = :event"
        return bool(self._connection.execute(sql, self._bindings | {"event": event}).get)

    def _ask(self, condition: str, order: str, limit: int) -> Places:
        rows: Any = self._connection.execute(
            f"SELECT r.event FROM record r"
            f" WHERE {condition} AND NOT r.held AND {self._scope.where}"
            f" ORDER BY {order}{', ' if order else ''}r.hlc DESC, r.key LIMIT :limit",
            self._bindings | {"limit": limit + 1},
        ).fetchall()
        return Places([row[0] for row in rows[:limit]], len(rows) > limit)

    @property
    def _bindings(self) -> dict[str, Any]:
        last = {"last": self._last_summary}
        return self._scope.bindings | self._identity | self._arrived.bindings | last

    @property
    def _is_news(self) -> str:
        return f"{self._arrived.where} AND {self._is_others}"

    def _least_recent(self) -> int:
        """The stamp of the last record that is looked through; 0 if all are."""
        stamp: int | None = self._connection.execute(
            f"SELECT r.hlc FROM record r WHERE {self._scope.part}"
            " ORDER BY r.hlc DESC LIMIT 1 OFFSET :scanned",
            self._scope.bindings | {"scanned": SCANNED_MAX - 1},
        ).get
        return stamp or 0

    def _after(self, since: int | None) -> _Arrived:
        if since is not None:
            return _Arrived("r.hlc >= :since", {"since": since})
        if self.visit is not None:
            return _Arrived("r.event > :visit", {"visit": self.visit.event_id})
        return _Arrived("true", {})

    def _others(self) -> str:
        """The condition that somebody else wrote it: most stores know no other machine."""
        foreign: Any = self._connection.execute(_FOREIGN_BRANCHES).fetchall()
        others = "r.agent_family <> :family OR r.host <> :host"
        if foreign:
            numbers = ", ".join(str(row[0]) for row in foreign)
            others += f" OR (SELECT branch FROM event e WHERE e.event = r.event) IN ({numbers})"
        return f"({others})"

    def _last_visit(self) -> Visit | None:
        """The first save of the last session of one's own, the present one apart."""
        within = f"r.agent_family = :family AND r.host = :host AND {self._scope.part}"
        bindings = self._scope.bindings | self._identity
        last: Any = self._connection.execute(
            f"SELECT r.key, r.session_id FROM record r"
            f" WHERE {_IS_RECENT} AND {within} AND r.session_id <> :session"
            " ORDER BY r.hlc DESC, r.key LIMIT 1",
            bindings,
        ).fetchone()
        if last is None:
            return None
        key, session = last
        if session:  # what belongs to none is one apart
            key = self._connection.execute(
                f"SELECT r.key FROM record r WHERE {_IS_RECENT} AND {within}"
                " AND r.session_id = :session"
                f" ORDER BY {_TIME_OF_KEY}, r.key LIMIT 1",
                bindings | {"session": session},
            ).get
        first: Any = self._connection.execute(_FIRST_EVENT, (slot_of(key),)).fetchone()
        return Visit(*first)

    def _newest_summary(self) -> int | None:
        event: int | None = self._connection.execute(
            f"SELECT r.event FROM record r WHERE r.memory_type = 'summary' AND NOT r.held"
            f" AND {_IS_RECENT} AND {self._scope.where} ORDER BY r.hlc DESC, r.key LIMIT 1",
            self._scope.bindings | self._identity,
        ).get
        return event


class _Arrived(NamedTuple):
    """The condition that a record came after the last visit, and its bindings."""

    where: str
    bindings: dict[str, int]


def _has_any(tags: tuple[str, ...]) -> str:
    """The condition that an observation has one of some tags; LIKE knows no case of A to Z."""
    found = (f"r.tags LIKE '%{TAG_SEPARATOR}{tag}{TAG_SEPARATOR}%'" for tag in tags)
    return f"(r.tags <> '' AND ({' OR '.join(found)}))"


_IS_RECENT: Final = "r.hlc >= :least"
_HAS_OPEN: Final = _has_any(OPEN_TAGS)
_HAS_CLOSED: Final = _has_any(CLOSED_TAGS)
_IS_OPEN: Final = f"r.memory_type <> 'decision' AND (r.memory_type = 'bug' OR {_HAS_OPEN})"
_IS_THREAD: Final = f"(r.event IS :last OR {_IS_OPEN} AND NOT {_HAS_CLOSED})"
# An edit gives a record another event; when its key was made stays.
_TIME_OF_KEY: Final = f"substr(r.key, {KEY_RANDOM_BYTES + 1})"
_FIRST_EVENT: Final = """
    SELECT e.event, e.hlc FROM version v JOIN event e ON e.event = v.event
    WHERE v.slot = ? ORDER BY e.event LIMIT 1"""
_FOREIGN_BRANCHES: Final = "SELECT branch FROM branch WHERE log NOT IN (SELECT log FROM own)"
