"""What other replicas ask of the events that are here, answered out of the log's tables.

Everything here runs inside a transaction that the caller holds, and refuses a private space: each
of these says something of it to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.log.event import BODY_BYTES_MAX, SALT_BYTES, EventId, commit
from kioku.log.path import Path
from kioku.log.private import refuse_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kioku.log.frontier import Tip
    from kioku.log.store import LogStore

_PLACE: Final = """FROM log l JOIN branch b ON b.log = l.log
    JOIN event e ON e.branch = b.branch AND e.seq = ? WHERE l.log_id = ? AND e.hash = ?"""
# A branch is continued by chunks alone, which end at a seal: all before its child is covered.
_COVERED: Final = f"""SELECT 1 {_PLACE} AND (e.seq <= b.sealed_seq OR EXISTS(
    SELECT 1 FROM branch c WHERE c.parent = b.branch AND c.first_seq > e.seq))"""
_FIND: Final = f"SELECT e.event, e.commitment, e.salt, e.body {_PLACE}"
_BRANCH: Final = f"SELECT e.branch {_PLACE}"
_STAMP: Final = f"SELECT e.hlc {_PLACE}"
_MISSING: Final = """SELECT l.log_id, e.seq, e.hash FROM missing m JOIN event e ON e.event = m.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log
    ORDER BY m.event DESC LIMIT ?"""
# Only the tail of an own log can be sealed without a new event, so own logs are always looked at.
_CHANGED: Final = """SELECT log FROM own UNION SELECT b.log FROM
    (SELECT DISTINCT branch FROM event WHERE event > ?) e JOIN branch b ON b.branch = e.branch"""


class Found(NamedTuple):
    """An event that is here, as those see it who look for its body."""

    row: int
    commitment: bytes | None
    salt: bytes | None
    body: bytes | None


class Changes(NamedTuple):
    """Which logs may have other stated tips than a while ago.

    ``row`` is the newest event's, to ask from the next time; ``digest`` that of all stated tips.
    """

    digest: bytes
    row: int
    logs: list[tuple[bytes, list[Tip]]]


def find(store: LogStore, event: EventId) -> Found | None:
    """Find an event for this replica itself; None if exactly this one is not here."""
    row: Any = store.connection.execute(_FIND, (event.seq, event.log_id, event.hash)).fetchone()
    return Found(*row) if row else None


def fits(found: Found, salt: bytes, body: bytes) -> bool:
    """Whether a body is the one that an event commits to, and within what one may be."""
    is_formed = len(salt) == SALT_BYTES and len(body) <= BODY_BYTES_MAX
    return is_formed and commit(salt, body) == found.commitment


class Lookup:
    """What a store answers in one transaction to whoever exchanges with it."""

    def __init__(self, store: LogStore) -> None:
        """Ask a store.

        Raises:
            PrivateSpaceError: if its space is private: each answer says something of it.
        """
        refuse_private(store.connection)
        self._store = store

    def holds(self, event: EventId) -> bool:
        """Whether exactly this event is here and sealed, itself or later.

        Of a log of ours that was closed, the unsealed tail is not: a copy of this store may have
        sealed it, and that seal is fetched as an event is.
        """
        values = (event.seq, event.log_id, event.hash)
        return bool(self._store.connection.execute(_COVERED, values).get)

    def branch_of(self, event: EventId) -> int | None:
        """Give the branch that an event stands in; None if exactly this one is not here."""
        values = (event.seq, event.log_id, event.hash)
        branch: int | None = self._store.connection.execute(_BRANCH, values).get
        return branch

    def path_to(self, goal: EventId) -> Path | None:
        """Give the way to an event; None if it is not here."""
        return None if self.branch_of(goal) is None else Path(self._store, goal)

    def sealed_path_to(self, goal: EventId) -> Path | None:
        """Give the way to an event whose seal is here; None if it is not."""
        branch = self.branch_of(goal)
        if branch is None or not self._store.is_sealed(branch, goal.seq):
            return None
        return Path(self._store, goal)

    def tips_of(self, log_id: bytes) -> list[Tip]:
        """Give a log's stated tips, ascending by seq; none if the log is not here."""
        log = self._store.log(log_id)
        return self._store.stated_tips(log.log) if log else []

    def stamps_of(self, events: Iterable[EventId]) -> list[int]:
        """Give the stamps of events; 0 for one that is not here."""
        ask = self._store.connection.execute
        return [int(ask(_STAMP, (seq, log_id, digest)).get or 0) for log_id, seq, digest in events]

    def last_sealed(self, event: EventId) -> tuple[int, bytes] | None:
        """Give seq and hash of the last sealed event at or before one, on its own path."""
        path = self.path_to(event)
        seq = path.last_seal(event.seq) if path else 0
        digest = path.hash_before(seq + 1) if path and seq else None
        return (seq, digest) if digest else None

    def hashes_on(self, goal: EventId, seqs: Iterable[int]) -> list[tuple[int, bytes]] | None:
        """Give the hashes at some seqs on the way to an event; None if that is not here."""
        path = self.path_to(goal)
        if path is None:
            return None
        wanted = (seq for seq in seqs if 1 <= seq <= goal.seq)
        return [(seq, digest) for seq in wanted if (digest := path.hash_before(seq + 1))]

    def bodies_of(self, events: Iterable[EventId]) -> Iterator[tuple[EventId, bytes, bytes]]:
        """Give event, salt and body of those that have one here, and as it was written.

        What a purge or a retract has erased has none: that went in the same transaction.
        """
        for event in events:
            found = find(self._store, event)
            if found is None or found.salt is None or found.body is None:
                continue
            if fits(found, found.salt, found.body):
                yield event, found.salt, found.body

    def missing(self, limit: int) -> list[EventId]:
        """Give events whose bodies should be here and are not, the newest first."""
        return [EventId(*row) for row in self._store.connection.execute(_MISSING, (limit,))]

    def changes_since(self, row: int, digest: bytes | None) -> Changes:
        """Find the logs whose stated tips may have changed since ``row`` was the newest event.

        None where the digest is what it was; all logs for a ``row`` of -1. Cost: O(events since).
        """
        store = self._store
        now = store.digest()
        top = int(store.connection.execute("SELECT max(event) FROM event").get or 0)
        if now == digest:
            return Changes(now, top, [])
        if row < 0:
            logs: dict[bytes, list[Tip]] = {}
            for tip in store.frontier():
                logs.setdefault(tip.log_id, []).append(tip)
            return Changes(now, top, list(logs.items()))
        changed: Sequence[Any] = store.connection.execute(_CHANGED, (row,)).fetchall()
        tips = [(store.log_row(log).log_id, store.stated_tips(log)) for (log,) in changed]
        return Changes(now, top, tips)
