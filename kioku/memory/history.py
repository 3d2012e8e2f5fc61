"""An observation's past: its versions, why the winner won, and what can still be brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kioku.log.event import KINDS, SAVE, TOMBSTONE
from kioku.log.hlc import STAMP_LIMIT
from kioku.memory.recall import Found, read, time_of
from kioku.memory.results import HistoryEntry

if TYPE_CHECKING:
    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.search import Filter

_WHY: Final = {
    "wins": "its stamp is the greatest",
    "older": "a greater stamp replaced it",
    "retracted": "it was retracted (gc or clock repair) and counts for nothing",
    "purged": "the observation was purged, for ever",
    "held": "its writer's clock is ahead of ours; it waits for its time",
    "unknown": "a newer kioku wrote it; this one does not know what it means",
}

_WHY_PURGE: Final = "a purge beats everything, for ever"
_PURGES: Final = "SELECT event FROM event WHERE kind = 3 AND key = ?"

_TOMBSTONES: Final = """
    SELECT t.key, t.event FROM version AS v JOIN event AS t ON t.event = v.event
    WHERE v.wins = 1 AND t.kind = 2 AND t.hlc >= ? AND t.hlc < ?
    ORDER BY t.hlc DESC"""


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


def last_readable(reading: Reading, key: bytes) -> tuple[Observation, bytes] | None:
    """Give the newest version of a key that can be read, and its body as it stands.

    What is held is not yet a version; what was retracted or purged is none any more.

    Raises:
        StoreCorruptError: if that body is not what was written.
    """
    for entry, status in reading.versions(key):
        if entry.kind == SAVE and entry.body is not None and status in {"wins", "older"}:
            observation = read(entry.body, key, entry.hlc)
            if observation is not None:
                reading.entry(entry.event_id)
                return observation, entry.body
    return None


def deleted(reading: Reading, *, wanted: Filter, limit: int) -> list[Found]:
    """Give deleted observations whose last version can be read, the latest deletion first.

    Cost: a scan of the keys; this is for people who look for what they lost.
    """
    found: list[Found] = []
    span = (wanted.since or 0, STAMP_LIMIT - 1 if wanted.until is None else wanted.until)
    last_stamp = None
    rows: Any = reading.connection.execute(_TOMBSTONES, span).fetchall()
    for key, event_id in rows:
        tombstone = reading.entry(event_id)
        if len(found) >= limit and tombstone.hlc != last_stamp:
            break
        last = last_readable(reading, key)
        if last is not None and _is_wanted(last[0], wanted):
            observation = replace(last[0], updated_at=time_of(tombstone.hlc), is_deleted=True)
            found.append(Found(tombstone, observation))
            last_stamp = tombstone.hlc
    return found


def in_order(found: list[Found], *, limit: int) -> list[Observation]:
    """Give the greatest events' observations, the greatest first."""
    ordered = sorted(found, key=lambda one: one.entry.order, reverse=True)
    return [one.observation for one in ordered[:limit]]


def _is_wanted(observation: Observation, wanted: Filter) -> bool:
    """The view's filter, asked of an observation that has no record (its times apart)."""
    return (
        all(
            getattr(wanted, name) in (None, getattr(observation, name))
            for name in (
                "project",
                "memory_type",
                "agent_family",
                "client_id",
                "host",
                "session_id",
            )
        )
        and set(wanted.tags) <= set(observation.tags)
        and (wanted.importance is None or observation.importance >= wanted.importance)
    )
