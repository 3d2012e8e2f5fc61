"""A clock that was ahead: what it stamped is said again, from the wall, and then taken back.

What this store saved or deleted while its clock ran ahead beats everything until that time comes:
no edit on another machine counts, and whoever reads it waits. So, in one transaction:

    1  the clock is set to the greatest stamp that is not ahead, of any log
    2  each own save and tombstone that is ahead is appended again, in their order
    3  then the old ones are retracted: whoever holds the retract holds what was said again

All versions are said again and not the winners alone: a retract erases its targets' bodies, and an
observation's past, or what an undelete would bring back, must not be lost by setting a clock.

The rule this module guards: **what is visible stays as it is**. So nothing is done while the wall
itself may be what is wrong: before 2025, or while events of other logs that took effect here lie
ahead of it too. What cannot be said again, for its body is not here, keeps its whole key as it is.

Where the machine that was ahead is gone, nobody there can do this. What it stamped waits elsewhere
for its time, which may be years; on a person's word another machine retracts what waits (``held``
events have had no effect, so nothing that counts is taken away).

Source: DESIGN §5, "A clock that was ahead"; docs/adr/0059.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import AmbiguousIdError, ClockError, NotFoundError, StoreError
from kioku.log.draft import retracts
from kioku.log.event import SAVE, TOMBSTONE
from kioku.log.hlc import COUNTER_BITS, horizon, unix_ms
from kioku.log.store import ENTRY_COLUMNS, ENTRY_JOINS, Entry
from kioku.observation import from_unix_ms
from kioku.replica import Draft
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kioku.replica import Reading, Transaction

WALL_MS_MIN: Final = 1_735_689_600_000
"""The start of 2025, before kioku was written: a clock that says less has never been set."""

GAIN_MIN: Final = 1 << COUNTER_BITS
"""A clock that would go back by less than a millisecond is left alone."""

_COUNTS: Final = """e.hlc > :limit AND e.kind IN (1, 2)
    AND NOT EXISTS(SELECT 1 FROM held h WHERE h.event = e.event)
    AND NOT EXISTS(SELECT 1 FROM purged p WHERE p.key = e.key)
    AND NOT EXISTS(SELECT 1 FROM retracted r
        WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash)"""
_IS_OWN: Final = "b.log IN (SELECT log FROM own)"

_AHEAD: Final = f"""SELECT {ENTRY_COLUMNS}, e.commitment FROM event e {ENTRY_JOINS}
    WHERE {_IS_OWN} AND {_COUNTS} ORDER BY e.hlc, l.log_id, e.seq, e.hash"""
_OTHERS: Final = f"""SELECT l.name, count(*), max(e.hlc) FROM event e {ENTRY_JOINS}
    WHERE NOT {_IS_OWN} AND {_COUNTS} GROUP BY l.log ORDER BY max(e.hlc) DESC"""
_LOG: Final = re.compile("[0-9a-f]{6,32}")
_HELD: Final = f"""SELECT {ENTRY_COLUMNS} FROM held h JOIN event e ON e.event = h.event
    {ENTRY_JOINS} WHERE (l.name = :name OR hex(l.log_id) GLOB :log)
    AND NOT EXISTS(SELECT 1 FROM purged p WHERE p.key = e.key)
    AND NOT EXISTS(SELECT 1 FROM retracted r
        WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash) ORDER BY e.hlc"""
_NEWEST_FINE: Final = "SELECT max(hlc) FROM event WHERE hlc <= :limit"


@dataclass(frozen=True, slots=True)
class ClockRepair:
    """What setting this store's clock right did, or would do.

    Attributes:
        saves, deletions: events of this store that were stamped again, from the wall.
        observations: how many observations those belong to.
        ahead_ms: how far ahead of the wall the greatest of them was stamped; 0 if there was none.
        now: the wall that they were held against (aware, UTC).
        is_dry_run: whether it only looked.
    """

    saves: int
    deletions: int
    observations: int
    ahead_ms: int
    now: datetime
    is_dry_run: bool


@dataclass(frozen=True, slots=True)
class HeldRetraction:
    """What taking back the waiting events of one author did, or would do.

    Attributes:
        name: what the author's logs call themselves.
        events: saves and tombstones of theirs that waited for the clock.
        observations: how many observations those belong to.
        ahead_ms: how far ahead of the wall the greatest of them is stamped.
        is_dry_run: whether it only looked.
    """

    name: str
    events: int
    observations: int
    ahead_ms: int
    is_dry_run: bool


class Survey(NamedTuple):
    """How far events that count lie ahead of the wall: our own, and those of other logs.

    ``again`` is what must be said again, in order; ``last`` is where our clock goes on from.
    """

    wall_ms: int
    again: list[Entry]
    absent: list[str]
    last: int
    clock_last: int
    others: int
    others_newest: int
    names: list[str]

    @property
    def is_ahead(self) -> bool:
        """Whether there is anything to repair: events, or the clock alone."""
        is_clock_ahead = self.clock_last > horizon(self.wall_ms)
        return bool(self.again) or (is_clock_ahead and self.clock_last - self.last > GAIN_MIN)

    @property
    def ahead_s(self) -> int:
        """How far our own newest stamp, or our clock, lies ahead of the wall."""
        newest = max([self.clock_last, *(entry.hlc for entry in self.again[-1:])])
        return (unix_ms(newest) - self.wall_ms) // 1000

    @property
    def others_ahead_s(self) -> int:
        """How far the newest folded stamp of another log lies ahead of the wall."""
        return (unix_ms(self.others_newest) - self.wall_ms) // 1000


def survey(reading: Reading, *, wall_ms: int) -> Survey:
    """Look what lies ahead of the wall. Cost: a scan of the events, 15 ms at 100,000."""
    values = {"limit": horizon(wall_ms)}
    ask = reading.connection.execute
    others: Any = ask(_OTHERS, values).fetchall()
    rows: Any = ask(_AHEAD, values).fetchall()
    again = [Entry(*row[:-1]) for row in rows]
    last = ask(_NEWEST_FINE, values).get or 0
    if again and again[-1].hlc <= last + len(again):
        last, again = again[-1].hlc, []  # said again they would lie no nearer
    absent = [e.key.hex() for e, row in zip(again, rows, strict=False) if not _has_body(e, row[-1])]
    return Survey(
        wall_ms=wall_ms,
        again=again,
        absent=absent,
        last=last,
        clock_last=reading.clock_last(),
        others=sum(row[1] for row in others),
        others_newest=others[0][2] if others else 0,
        names=[row[0] for row in others],
    )


def _has_body(entry: Entry, commitment: bytes | None) -> bool:
    return entry.body is not None or commitment is None


def check_safe(found: Survey) -> None:
    """Refuse to believe a wall that may be what is wrong, and to say again what is not here.

    Raises:
        ClockError: if it stands before 2025, or others' events that took effect lie ahead of it.
        StoreError: if the content of an event that is ahead is missing.
    """
    if found.wall_ms < WALL_MS_MIN:
        raise ClockError("the clock stands before 2025, so it was never set; set it first")
    if found.others:
        raise ClockError(
            f"events of other logs ({', '.join(found.names)}) are stamped up to"
            f" {found.others_ahead_s:,} s ahead as well, so this machine's clock may be behind;"
            " set it, or wait until their time has come"
        )
    if found.absent:
        raise StoreError(
            f"the content of {counted(len(found.absent), 'event')} ahead is missing here (of"
            f" {found.absent[0]}); import it from a replica that has it, or purge it"
        )


def repair(transaction: Transaction, *, wall_ms: int) -> Survey:
    """Say again what is ahead and retract it; gives what was found, and done.

    Raises:
        ClockError, StoreError: as ``check_safe``; nothing was written.
    """
    found = survey(transaction, wall_ms=wall_ms)
    check_safe(found)
    if not found.is_ahead:
        return found
    transaction.set_clock(found.last)
    if found.again:
        transaction.begin_log()  # which may append an older log's tail again, with its stamps
        found = survey(transaction, wall_ms=wall_ms)
        transaction.set_clock(found.last)  # which a retract in that tail has taken along
        transaction.append(_drafts(transaction, found))
    return found


def _drafts(transaction: Transaction, found: Survey) -> Iterator[Draft]:
    for entry in found.again:
        whole = transaction.entry(entry.event_id)  # a flipped bit must not be said again
        yield Draft(whole.kind, whole.key, whole.body)
    yield from retracts(entry.id for entry in found.again)


def result(found: Survey, *, is_dry_run: bool) -> ClockRepair:
    """What was found, as the caller's result."""
    newest = found.again[-1].hlc if found.again else 0
    return ClockRepair(
        saves=sum(entry.kind == SAVE for entry in found.again),
        deletions=sum(entry.kind == TOMBSTONE for entry in found.again),
        observations=len({entry.key for entry in found.again}),
        ahead_ms=max(unix_ms(newest) - found.wall_ms, 0),
        now=from_unix_ms(found.wall_ms),
        is_dry_run=is_dry_run,
    )


# -- an author that is gone ---------------------------------------------------------------------


class NothingHeldError(NotFoundError):
    """Nothing of this name, or of a log that begins so, waits."""

    hint = "kioku doctor"


class AmbiguousNameError(AmbiguousIdError):
    """Several logs of this name have something that waits: two machines may be called alike."""

    hint = "kioku doctor --retract-held LOG, for each that is gone"

    def __init__(self, name: str, logs: list[str]) -> None:
        super().__init__(name, len(logs))
        shown = ", ".join(log[:8] for log in logs)
        self.args = (f"{name}: events of {len(logs)} logs wait; name one by its log: {shown}",)


def find_held(reading: Reading, name: str) -> list[Entry]:
    """Give what waits for the clock of one log, ascending by stamp.

    ``name`` is what the log is called, or 6 or more of the first digits of its id.

    Raises:
        NotFoundError: if nothing of it does.
        AmbiguousIdError: if several logs are meant.
    """
    log = f"{name.upper()}*" if _LOG.fullmatch(name.lower()) else ""
    rows: Any = reading.connection.execute(_HELD, {"name": name, "log": log}).fetchall()
    if not rows:
        raise NothingHeldError(
            f"nothing of {name} waits for the clock here; kioku doctor names those of whom it does"
        )
    held = [Entry(*row) for row in rows]
    logs = sorted({entry.id.log_id.hex() for entry in held})
    if len(logs) > 1:
        raise AmbiguousNameError(name, logs)
    return held


def retract_held(transaction: Transaction, name: str) -> list[Entry]:
    """Retract what waits of one log; gives what that was.

    Raises:
        NotFoundError, AmbiguousIdError: if nothing of it does, or several are meant; nothing was
            written.
    """
    held = find_held(transaction, name)
    transaction.append(retracts(entry.id for entry in held))
    return held


def retraction(held: list[Entry], name: str, *, wall_ms: int, is_dry_run: bool) -> HeldRetraction:
    """What was taken back, as the caller's result."""
    return HeldRetraction(
        name=name,
        events=len(held),
        observations=len({entry.key for entry in held}),
        ahead_ms=max(unix_ms(held[-1].hlc) - wall_ms, 0),
        is_dry_run=is_dry_run,
    )
