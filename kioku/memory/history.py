"""An observation's past: its versions, why the winner won, and what can still be brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.log.event import KINDS, SAVE, TOMBSTONE
from kioku.log.hlc import STAMP_LIMIT
from kioku.memory.filters import is_wanted
from kioku.memory.recall import Found, read, time_of
from kioku.memory.results import HistoryEntry

if TYPE_CHECKING:
    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.filter import Filter

_WHY: Final = {
    "wins": "its stamp is the greatest",
    "older": "a greater stamp replaced it",
    "retracted": "it was retracted (gc, clock repair or scan --redact) and counts for nothing",
    "purged": "the observation was purged, for ever",
    "held": "its writer's clock is ahead of ours; it waits for its time",
    "unknown": "a newer kioku wrote it; this one does not know what it means",
}

_WHY_PURGE: Final = "a purge beats everything, for ever"
_PURGES: Final = "SELECT event FROM event WHERE kind = 3 AND key = ?"

_TOMBSTONES: Final = """
    SELECT t.hlc, t.event, t.key FROM event AS t INDEXED BY event_tombstone
    CROSS JOIN version AS v ON v.slot = CAST(substr(t.key, 11) || substr(t.key, 1, 10) AS BLOB)
        AND v.wins = 1 AND v.event = t.event
    WHERE t.kind = 2 AND t.hlc BETWEEN ? AND ?"""


def entries(reading: Reading, key: bytes) -> list[HistoryEntry]:
    """Give every event about a key, the greatest first.

    Cost: its versions; a scan of the log for one that was purged.
    """
    found = [(entry, status, _WHY[status]) for entry, status in reading.versions(key)]
    if reading.is_purged(key):
        rows: Any = reading.connection.execute(_PURGES, (key,)).fetchall()
        found += [(reading.entry(row[0]), "wins", _WHY_PURGE) for row in rows]
    found.sort(key=lambda one: one[0].order, reverse=True)
    return [_entry(reading, *one) for one in found]


def _entry(reading: Reading, entry: Entry, status: str, why: str) -> HistoryEntry:
    observation = None
    reason = ""
    if entry.body is not None and entry.kind == SAVE:
        observation = read(entry.body, entry.key, entry.hlc, is_held=status == "held")
    elif entry.body is not None and entry.kind == TOMBSTONE:
        reason = entry.body.decode("utf-8", "replace")
    return HistoryEntry(
        operation=KINDS.get(entry.kind, f"kind {entry.kind}"),
        status=status,
        why=why,
        stamped_at=time_of(entry.hlc),
        replica=reading.log_name(entry.log_id),
        log_id=entry.log_id.hex(),
        seq=entry.seq,
        hash=entry.hash.hex(),
        observation=observation,
        reason=reason,
    )


def last_readable(
    reading: Reading, key: bytes, *, last: int = STAMP_LIMIT
) -> tuple[Observation, bytes] | None:
    """Give a key's newest version, up to ``last``, that can be read; and its body as it stands.

    What is held is not yet a version; what was retracted or purged is none any more.

    Raises:
        StoreCorruptError: if that body is not what was written.
    """
    for entry, status in reading.versions(key):
        if entry.hlc > last or entry.kind != SAVE or entry.body is None:
            continue
        if status in {"wins", "older"}:
            observation = read(entry.body, key, entry.hlc)
            if observation is not None:
                reading.entry(entry.event_id)
                return observation, entry.body
    return None


class Tombstone(NamedTuple):
    """A deletion that stands."""

    stamp: int
    event_id: int
    key: bytes


def tombstones(reading: Reading, wanted: Filter) -> list[Tombstone]:
    """Give the deletions in the time that is wanted. Cost: grows with the deletions in it."""
    until = STAMP_LIMIT if wanted.until is None else wanted.until
    span = (wanted.since or 0, until - 1)
    rows: Any = reading.connection.execute(_TOMBSTONES, span)
    return [Tombstone._make(row) for row in rows]


def deleted(reading: Reading, *, wanted: Filter, limit: int) -> list[Found]:
    """Give deleted observations whose last version can be read, the latest deletion first.

    Cost: grows with the deletions; this is for people who look for what they lost.
    """
    return readable(reading, tombstones(reading, wanted), wanted=wanted, limit=limit)


def readable(
    reading: Reading,
    gone: list[Tombstone],
    *,
    wanted: Filter,
    limit: int,
    last: int = STAMP_LIMIT,
) -> list[Found]:
    """Give what was deleted as it last stood, up to ``last``, the latest deletion first."""
    found: list[Found] = []
    last_stamp = None
    for stamp, event_id, key in sorted(gone, reverse=True):
        if len(found) >= limit and stamp != last_stamp:
            break
        before = last_readable(reading, key, last=last)
        if before is not None and is_wanted(*before, wanted):
            observation = replace(before[0], updated_at=time_of(stamp), is_deleted=True)
            found.append(Found(reading.entry(event_id), observation))
            last_stamp = stamp
    return found


def in_order(found: list[Found], *, limit: int) -> list[Observation]:
    """Give the greatest events' observations, the greatest first."""
    ordered = sorted(found, key=lambda one: one.entry.order, reverse=True)
    return [one.observation for one in ordered[:limit]]
