"""Events in the order that one store came to know them, as people see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import InvalidArgumentError
from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE
from kioku.memory.filters import is_wanted
from kioku.memory.history import last_readable
from kioku.memory.recall import read, time_of

if TYPE_CHECKING:
    from datetime import datetime

    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.filter import Filter

_AFTER: Final = """
    SELECT event FROM event WHERE event > ? AND kind IN (1, 2, 3, 5) ORDER BY event LIMIT ?"""
_BEFORE: Final = """
    SELECT event FROM event WHERE event <= ? AND kind IN (1, 2, 3, 5) ORDER BY event DESC LIMIT ?"""
_TOP: Final = "SELECT ifnull(max(event), 0) FROM event"
_SUPERSEDED: Final = """
    SELECT 1 FROM superseded s JOIN record n ON n.event = s.by_event
    WHERE s.key = ? AND n.hlc > ? LIMIT 1"""

SCANNED_MAX: Final = 20_000
"""Events looked at for the last ones of a rare kind: a second or so, not the whole of a log."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One event, as a store that follows its log tells it.

    Attributes:
        cursor: where to go on after it, in this store alone.
        operation: ``save``, ``edit``, ``undelete``, ``delete``, ``purge``, or ``retract``: old
            versions were erased, by ``gc`` or because they were said again.
        id: the observation's; empty of a retract.
        stamped_at: when its writer's logical clock says it was written.
        replica, log_id: the name of the replica that wrote it, and its log (32 hex digits).
        is_own: whether that is this one.
        status: how it stands now, as in ``HistoryEntry``.
        is_superseded: whether something newer replaces the observation.
        observation: what was saved, or what was last readable of what was deleted; None if it is
            purged, retracted or cannot be read.
        reason: why it was deleted, if that was said.
    """

    cursor: int
    operation: str
    id: str
    stamped_at: datetime
    replica: str
    log_id: str
    is_own: bool
    status: str
    is_superseded: bool
    observation: Observation | None
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes in the order this store came to know them, and the cursor to go on from."""

    changes: list[LoggedChange]
    cursor: int


def read_after(
    reading: Reading, after: int | None, *, limit: int, wanted: Filter | None
) -> Changes:
    """Give up to ``limit`` events after a cursor; None gives where the log ends.

    Raises:
        InvalidArgumentError: if the cursor is another store's, or of before a restore: who waited
            for the log to reach it would miss all that comes until then.
    """
    top: int = reading.connection.execute(_TOP).get
    if after is not None and after > top:
        raise InvalidArgumentError(
            f"after: {after:,} is no cursor of this store, whose last is {top:,}; was it restored?"
            " Begin with 0, or with no cursor"
        )
    if after is None or after == top or not limit:
        return Changes([], top)
    rows: Any = reading.connection.execute(_AFTER, (after, limit)).fetchall()
    found = (_change(reading, row[0], wanted) for row in rows)
    cursor = rows[-1][0] if len(rows) == limit else top
    return Changes([one for one in found if one is not None], cursor)


def read_last(reading: Reading, count: int, *, wanted: Filter | None) -> Changes:
    """Give the last ``count`` changes, the oldest of them first."""
    top: int = reading.connection.execute(_TOP).get
    found: list[LoggedChange] = []
    rows: Any = reading.connection.execute(_BEFORE, (top, SCANNED_MAX)) if count else ()
    for (row,) in rows:
        change = _change(reading, row, wanted)
        if change is not None:
            found.append(change)
        if len(found) == count:
            break
    return Changes(found[::-1], top)


def _change(reading: Reading, row: int, wanted: Filter | None) -> LoggedChange | None:
    """Tell of one event; None if it is not wanted. What has no text any more suits no filter."""
    entry = reading.entry(row)
    if wanted is not None and not _is_wanted(reading, entry, wanted):
        return None
    if entry.kind in (PURGE, RETRACT):
        operation = "purge" if entry.kind == PURGE else "retract"
        return _told(reading, entry, operation, "wins", None)
    versions = reading.versions(entry.key)
    status = next((one.status for one in versions if one.entry.event_id == row), "unknown")
    observation = _text_of(reading, entry, is_held=status == "held")[0]
    before = [one.entry for one in versions if one.entry.event_id < row and one.status != "unknown"]
    operation = _operation(entry, max(before, key=lambda one: one.order, default=None))
    return _told(reading, entry, operation, status, observation)


def _is_wanted(reading: Reading, entry: Entry, wanted: Filter) -> bool:
    if not _is_within(entry, wanted) or entry.kind in (PURGE, RETRACT):
        return False
    observation, body = _text_of(reading, entry)
    return observation is not None and is_wanted(observation, body, wanted)


def _is_within(entry: Entry, wanted: Filter) -> bool:
    is_late = wanted.since is None or entry.hlc >= wanted.since
    return is_late and (wanted.until is None or entry.hlc < wanted.until)


def _text_of(
    reading: Reading, entry: Entry, *, is_held: bool = False
) -> tuple[Observation | None, bytes]:
    """Give what an event says, or what was last said of what it deletes."""
    if entry.kind == TOMBSTONE:
        return last_readable(reading, entry.key, last=entry.hlc) or (None, b"")
    if entry.kind != SAVE or entry.body is None:
        return None, b""
    return read(entry.body, entry.key, entry.hlc, is_held=is_held), entry.body


def _operation(entry: Entry, before: Entry | None) -> str:
    if entry.kind == TOMBSTONE:
        return "delete"
    if entry.kind != SAVE:
        return f"kind {entry.kind}"
    if before is None:
        return "save"
    return "undelete" if before.kind == TOMBSTONE else "edit"


def _told(
    reading: Reading, entry: Entry, operation: str, status: str, observation: Observation | None
) -> LoggedChange:
    has_reason = entry.kind == TOMBSTONE and entry.body is not None
    superseded = reading.connection.execute(_SUPERSEDED, (entry.key, entry.hlc)).get
    return LoggedChange(
        cursor=entry.event_id,
        operation=operation,
        id="" if entry.kind == RETRACT else entry.key.hex(),
        stamped_at=time_of(entry.hlc),
        replica=reading.log_name(entry.log_id),
        log_id=entry.log_id.hex(),
        is_own=reading.is_own(entry.log_id),
        status=status,
        is_superseded=superseded is not None,
        observation=observation,
        reason=(entry.body or b"").decode("utf-8", "replace") if has_reason else "",
    )
