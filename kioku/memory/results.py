"""What a memory answers: values, frozen, that hold no store open and read no clock.

They stand apart so that whoever only receives them does not depend on the thing that makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kioku.observation import Observation


@dataclass(frozen=True, slots=True)
class Project:
    """One project of a store, under all of its names.

    Attributes:
        name: the one it goes by; ``""`` for what belongs to none.
        aliases: its other names, in order.
        observations: those that can be read now, superseded ones included.
        updated_at: the last change of any of them; None if it is only a name.
    """

    name: str
    aliases: tuple[str, ...]
    observations: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event of an observation's past.

    Attributes:
        operation: ``save``, ``tombstone`` or ``purge``.
        status: ``wins``, ``older``, ``retracted``, ``purged``, ``held`` or ``unknown``.
        why: one sentence that says why it has that status.
        stamped_at: when its clock says it was written (aware, UTC, milliseconds).
        replica: the name of the replica that wrote it.
        log_id, seq, hash: the event itself (32 hex digits, from 1, 64 hex digits).
        observation: what was saved; None if its content is missing, erased or not readable here.
        reason: what the deleter gave as a reason; only of a tombstone.
    """

    operation: str
    status: str
    why: str
    stamped_at: datetime
    replica: str
    log_id: str
    seq: int
    hash: str
    observation: Observation | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """Something here that looks like a credential; what it is, is nowhere in this value.

    Attributes:
        id: the observation.
        kind: what it is called: ``github token``.
        field: where it stands: ``content``, ``tags[0]``, ``extra``, ``reason`` (of a deletion).
        start: at which character of that text.
        hint: the letters that all of its kind begin with, and its length.
        is_current: whether it is in what wins now, not only in the history.
    """

    id: str
    kind: str
    field: str
    start: int
    hint: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class MemoryStatistics:
    """A moment's counts of one store.

    Attributes:
        path: the store's file, or ``:memory:``.
        space: the space's name.
        session_id, agent_family, client_id, host: who this memory saves as.
        observations: those that can be read now, superseded ones included.
        by_family: the same by agent family, by ``""`` where none was given.
        deleted: keys whose newest event is a tombstone.
        events, logs, held, missing, purged, retracted: of the log, in events or keys.
        is_erased: whether nothing that was purged or retracted may be left in a file.
        file_bytes: the size of the store's file and its write-ahead log.
        is_private: whether the space is private, so that none of its events can leave the store.
    """

    path: str
    space: str
    session_id: str
    agent_family: str
    client_id: str
    host: str
    observations: int
    by_family: Mapping[str, int]
    deleted: int
    events: int
    logs: int
    held: int
    missing: int
    purged: int
    retracted: int
    is_erased: bool
    file_bytes: int
    is_private: bool
