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

_FIND: Final = """SELECT e.event, e.commitment, e.salt, e.body, e.branch FROM log l
    JOIN branch b ON b.log = l.log
    JOIN event e ON e.branch = b.branch AND e.seq = ? WHERE l.log_id = ? AND e.hash = ?"""
_STAMP: Final = """SELECT e.hlc FROM log l JOIN branch b ON b.log = l.log
    JOIN event e ON e.branch = b.branch AND e.seq = ? WHERE l.log_id = ? AND e.hash = ?"""
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
    branch: int


class Changes(NamedTuple):
    """Which logs may have other stated tips than a while ago.

    ``row`` is the newest event's, to ask from the next time; ``digest`` that of all stated tips.
    """

    digest: bytes
    row: int
    logs: list[tuple[bytes, list[Tip]]]


def find(store: LogStore, event: EventId) -> Found | None:
    """Find an event; None if exactly this one is not here."""
    refuse_private(store.connection)
    return find_within(store, event)


def find_within(store: LogStore, event: EventId) -> Found | None:
    """Find an event for this replica itself, whatever its space."""
    row: Any = store.connection.execute(_FIND, (event.seq, event.log_id, event.hash)).fetchone()
    return Found(*row) if row else None


def find_path(store: LogStore, goal: EventId) -> Path | None:
    """Give the way to an event; None if it is not here."""
    return Path(store, goal) if find(store, goal) else None


def stated_tips(store: LogStore, log_id: bytes) -> list[Tip]:
    """Give a log's stated tips, ascending by seq; none if the log is not here."""
    refuse_private(store.connection)
    log = store.log(log_id)
    return store.stated_tips(log.log) if log else []


def last_sealed(store: LogStore, event: EventId) -> tuple[int, bytes] | None:
    """Give seq and hash of the last sealed event at or before one, on its own path."""
    path = find_path(store, event)
    seq = path.last_seal(event.seq) if path else 0
    digest = path.hash_before(seq + 1) if path and seq else None
    return (seq, digest) if digest else None


def hashes_on(
    store: LogStore, goal: EventId, seqs: Iterable[int]
) -> list[tuple[int, bytes]] | None:
    """Give the hashes at some seqs on the way to an event; None if that is not here."""
    path = find_path(store, goal)
    if path is None:
        return None
    wanted = (seq for seq in seqs if 1 <= seq <= goal.seq)
    return [(seq, digest) for seq in wanted if (digest := path.hash_before(seq + 1))]


def sealed_path(store: LogStore, goal: EventId) -> Path | None:
    """Give the way to an event that is sealed here; None if it is not."""
    found = find(store, goal)
    if found is None or not store.is_sealed(found.branch, goal.seq):
        return None
    return Path(store, goal)


def bodies_of(store: LogStore, events: Iterable[EventId]) -> Iterator[tuple[EventId, bytes, bytes]]:
    """Give event, salt and body of those that have one here, and as it was written.

    What a purge or a retract has erased has none: that went in the same transaction.
    """
    for event in events:
        found = find(store, event)
        if found is None or found.salt is None or found.body is None:
            continue
        if fits(found, found.salt, found.body):
            yield event, found.salt, found.body


def missing_events(store: LogStore, limit: int) -> list[EventId]:
    """Give events whose bodies should be here and are not, the newest first."""
    refuse_private(store.connection)
    return [EventId(*row) for row in store.connection.execute(_MISSING, (limit,))]


def stamps_of(store: LogStore, events: Iterable[EventId]) -> list[int]:
    """Give the stamps of events; 0 for one that is not here."""
    refuse_private(store.connection)
    ask = store.connection.execute
    return [int(ask(_STAMP, (seq, log_id, digest)).get or 0) for log_id, seq, digest in events]


def fits(found: Found, salt: bytes, body: bytes) -> bool:
    """Whether a body is the one that an event commits to, and within what one may be."""
    is_formed = len(salt) == SALT_BYTES and len(body) <= BODY_BYTES_MAX
    return is_formed and commit(salt, body) == found.commitment


def changes_since(store: LogStore, row: int, digest: bytes | None) -> Changes:
    """Find the logs whose stated tips may have changed since ``row`` was the newest event.

    None where the digest is what it was; all logs for a ``row`` of -1. Cost: O(events since).
    """
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
    return Changes(
        now, top, [(store.log_row(log).log_id, store.stated_tips(log)) for (log,) in changed]
    )
