"""What one transaction can see and do in a store: log, fold and view as one thing.

Everything here runs inside a transaction that ``Replica`` holds. The order of steps is the point:
the fold says what changes, the view follows while the old text can still be read, and only then
are bodies erased. So the three cannot disagree, whenever the process ends.
"""

from __future__ import annotations

from itertools import islice
from operator import gt
from typing import TYPE_CHECKING, NamedTuple

from kioku.crdt.fold import FOLD_VERSION, Fold
from kioku.crdt.standing import Outcome
from kioku.errors import SchemaVersionError
from kioku.log.erasure import count_due, owe_beside, raise_due
from kioku.log.event import PURGE, RETRACT, Event, EventId
from kioku.log.hlc import horizon, observe
from kioku.log.private import is_private
from kioku.log.schema import read_meta, write_meta
from kioku.log.store import Entry, LogStore
from kioku.log.transfer import Placement, add_chunk, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from dataclasses import dataclass

    import apsw

    from kioku.crdt.standing import Shown, View
    from kioku.log.chunk import Chunk
    from kioku.log.draft import Draft
    from kioku.log.owner import Owner
else:
    from kioku.values import dataclass


REFOLD_BATCH = 5_000
"""Events folded at once when all are: enough that a batch's fixed cost is nothing."""


class Version(NamedTuple):
    """One event of a key and how it stands.

    ``status``: ``wins``, ``older`` (a greater one wins), ``retracted``, ``purged``, ``held`` (its
    stamp lies ahead), ``unknown`` (a kind or format that this kioku does not fold).
    """

    entry: Entry
    status: str


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """What a chunk brought: its events, how many were new, bodies that came late, and so on."""

    events: int
    new_events: int
    new_bodies: int
    held: int
    missing: int


@dataclass(frozen=True, slots=True)
class ReplicaStatistics:
    """A snapshot of a replica in numbers."""

    events: int
    logs: int
    tips: int
    unsealed: int
    purged: int
    retracted: int
    held: int
    missing: int
    erasures_due: int
    newest_stamp: int
    file_bytes: int


class Core:
    """A store's log, fold and view, and the steps that keep them level."""

    def __init__(self, store: LogStore, owner: Owner, view: View | None) -> None:
        self.store = store
        self.fold = Fold(store)
        self.owner = owner
        self.view = view
        self.connection = store.connection
        self.has_erased = False
        self.versions = (FOLD_VERSION, view.version if view else 0)

    def derived_by(self) -> tuple[int, int]:
        """Give the versions of the fold and the view that built what is derived."""
        fold, _, view = str(read_meta(self.connection, "derived_by", "0.0")).partition(".")
        return int(fold) if fold.isdecimal() else 0, int(view) if view.isdecimal() else 0

    def check_not_newer(self) -> None:
        """Refuse to go on without a view, or with an older one: its words could not be erased."""
        if any(map(gt, self.derived_by(), self.versions)):
            raise SchemaVersionError(
                f"{self.connection.filename}: was built with a view that this kioku does not know;"
                " upgrade, or open it with the view it has"
            )

    def note_versions(self) -> None:
        """Note that what is derived was built by these versions of fold and view."""
        write_meta(self.connection, "derived_by", ".".join(map(str, self.versions)))

    def statistics(self, file_bytes: int) -> ReplicaStatistics:
        """Count what is here. Cost: O(logs + held + missing)."""
        count = {
            table: self.connection.execute(f"SELECT count(*) FROM {table}").get
            for table in ("log", "branch", "purged", "retracted", "held", "missing")
        }
        return ReplicaStatistics(
            events=self.connection.execute("SELECT max(event) FROM event").get or 0,
            logs=count["log"],
            tips=count["branch"],
            unsealed=self.owner.count_unsealed(),
            purged=count["purged"],
            retracted=count["retracted"],
            held=count["held"],
            missing=count["missing"],
            erasures_due=count_due(self.connection),
            newest_stamp=self.store.newest_stamp(),
            file_bytes=file_bytes,
        )

    def scrub(self, connection: apsw.Connection) -> None:
        """Let the view rewrite what its deletions leave behind."""
        if self.view is not None:
            self.view.scrub(connection)

    def append(self, drafts: Sequence[Draft], now_ms: int) -> list[Entry]:
        """Append to our own log, and fold what was appended."""
        if not drafts:
            return []
        entries = self.owner.append(drafts, now_ms=now_ms, is_retracted=self.fold.is_retracted)
        known = {draft.body: draft.fields for draft in drafts if draft.body and draft.fields}
        self.follow(self.fold.apply(entries, now_ms=now_ms, is_own=True, known=known), drafts)
        return entries[len(entries) - len(drafts) :]

    def begin_log(self, now_ms: int) -> None:
        """Begin a log unless one of ours is open, and fold what it begins with."""
        entries = self.owner.append((), now_ms=now_ms, is_retracted=self.fold.is_retracted)
        self.follow(self.fold.apply(entries, now_ms=now_ms, is_own=True))

    def adopt_tails(self) -> None:
        """Append again, to a new log, what older logs of ours left unsealed and cannot seal."""
        entries = self.owner.adopt_tails(self.fold.is_retracted)
        if entries:
            self.follow(self.fold.apply(entries, now_ms=0, is_own=True))

    def ingest(self, chunk: Chunk, now_ms: int) -> IngestCounts:
        """Store and fold a verified chunk.

        Raises:
            PeerError: if it does not link to what is held, or would pass a limit.
        """
        spot = place(self.store, chunk)
        new = len(spot.held)
        self._yield_log(chunk, has_new=new < len(chunk.events))
        ids = [EventId(chunk.log_id, chunk.first_seq + n, h) for n, h in enumerate(chunk.hashes)]
        erased = self.fold.find_erased(ids, chunk.events)
        events = _stripped(chunk.events, erased)
        first_row = add_chunk(self.store, chunk, spot, events)
        entries = [
            _entry(first_row + n, ids[new + n], event) for n, event in enumerate(events[new:])
        ]
        missing = [
            entry.event_id
            for index, entry in enumerate(entries, new)
            if entry.body is None and events[index].commitment is not None and index not in erased
        ]
        self.store.add_missing(missing)
        supplied = self._supply(spot, events)
        # First what late bodies reveal: the fold takes the view to hold what can be read.
        self.follow(Outcome(self.fold.reveal(supplied), [], 0))
        outcome = self.fold.apply(entries, now_ms=now_ms, is_own=False)
        self.follow(outcome, entries)
        self._observe((entry.hlc for entry in entries), now_ms)
        return IngestCounts(len(events), len(entries), len(supplied), outcome.held, len(missing))

    def _yield_log(self, chunk: Chunk, *, has_new: bool) -> None:
        """Close our log when a peer shows us what another owner of it wrote or sealed."""
        own = self.owner.current()
        if own is None or own.log.log_id != chunk.log_id:
            return
        if has_new or chunk.last.seq > own.branch.sealed_seq:
            self.owner.close(own)

    def _supply(self, spot: Placement, events: Sequence[Event]) -> list[int]:
        """Give held events whose bodies were missing those that the chunk brought."""
        supplied = []
        for index in spot.absent:
            event = events[index]
            if event.salt is not None and event.body is not None:
                row = spot.held[index]
                if self.store.supply_body(row, event.salt, event.body):
                    supplied.append(row)
        return supplied

    def _observe(self, stamps: Iterable[int], now_ms: int) -> None:
        """Move our clock past what was folded, so that what is written here comes after it."""
        limit = horizon(now_ms)
        newest = max((stamp for stamp in stamps if stamp <= limit), default=0)
        last = int(read_meta(self.connection, "hlc_last", 0))
        if newest > last:
            write_meta(self.connection, "hlc_last", observe(last, newest, now_ms))

    def begin(self, now_ms: int) -> None:
        """Begin a writing transaction: fold what was held and whose time has come.

        Raises:
            StoreAccessError: if the file is not where it was opened.
            SchemaVersionError: if another kioku has built fold or view anew since.
        """
        self.owner.check_file()
        if self.derived_by() != self.versions:
            raise SchemaVersionError("another version of kioku took this store over; open it again")
        newest_due = self.fold.begin(now_ms)
        if newest_due is not None:
            self.follow(Outcome(self.fold.release(now_ms), [], 0))
            self._observe((newest_due,), now_ms)

    def refold(self, progress: Callable[[int, int], None] | None, *, strict: bool) -> None:
        """Fold everything again from the log, and build the view anew.

        Raises:
            StoreCorruptError: if an event, or ``strict`` also a body, is not what was written.
            SchemaVersionError: if a newer kioku built them.
        """
        self.check_not_newer()
        self.fold.clear()
        raise_due(self.connection)  # an older analysis may have left words behind
        self.has_erased = True
        if self.view is not None:
            self.view.create(self.connection)
            self.view.clear(self.connection)
        if not is_private(self.connection):
            write_meta(self.connection, "digest", self.store.frontier().digest())
        total = self.connection.execute("SELECT max(event) FROM event").get or 0
        done = 0
        while done < total:
            entries = self.store.entries(done + 1, done + REFOLD_BATCH, strict=strict)
            self.follow(self.fold.refold_all(entries))
            done = min(done + REFOLD_BATCH, total)
            if progress is not None:
                progress(done, total)

    def follow(self, outcome: Outcome, events: Iterable[Draft | Entry] = ()) -> None:
        """Bring view and bodies after the fold: the view first, for it needs the old text.

        What ``events`` condemn is looked for in kept stores too, though nothing of it was here.
        """
        if self.view is not None and outcome.changes:
            self.view.apply(self.connection, outcome.changes)
        if self.view is not None and not self.fold.are_whole(outcome.erased):
            self._show_anew(self.view)  # what rotted no longer says which words it left there
        if outcome.erased and self.store.erase_bodies(outcome.erased):
            raise_due(self.connection)
        elif any(event.kind in (PURGE, RETRACT) for event in events):
            owe_beside(self.connection)
        else:
            return
        self.has_erased = True

    def _show_anew(self, view: View) -> None:
        view.clear(self.connection)
        changes = self.fold.all_shown()
        while batch := list(islice(changes, REFOLD_BATCH)):
            view.apply(self.connection, batch)


def _entry(row: int, place: EventId, event: Event) -> Entry:
    return Entry(
        row, place.log_id, place.seq, event.hlc, event.kind, event.key, place.hash, event.body
    )


def _stripped(events: Sequence[Event], erased: set[int]) -> list[Event]:
    return [
        event._replace(salt=None, body=None) if index in erased else event
        for index, event in enumerate(events)
    ]


class Reading:
    """One transaction's sight of a replica: consistent, and over when its block ends."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._store = core.store
        self._fold = core.fold
        self.connection = core.connection

    def winner(self, key: bytes) -> Entry | None:
        """Give a key's greatest save or tombstone that counts; None if none does.

        Raises:
            StoreCorruptError: if it is not what was written.
        """
        winner = self._fold.winner(key)
        return winner and self._store.entry(winner.event_id)

    def shown(self, key: bytes) -> Shown | None:
        """Give what a reader may see of a key.

        Raises:
            StoreCorruptError: if it is not what was written.
        """
        shown = self._fold.shown(key)
        if shown is not None:
            self._store.entry(shown.event_id)
        return shown

    def is_purged(self, key: bytes) -> bool:
        """Whether a key is erased for ever."""
        return self._fold.is_purged(key)

    def versions(self, key: bytes) -> list[Version]:
        """Give every event of a key, the greatest first, and how each stands.

        Raises:
            StoreCorruptError: if one is not what was written.
        """
        is_purged = self.is_purged(key)
        found = []
        for standing in self._fold.standings(key):
            status = "purged" if is_purged else standing.status
            found.append(Version(self._store.entry(standing.entry.event_id), status))
        return found

    def entry(self, event_id: int) -> Entry:
        """Read an event by its row number, and check all of it.

        Raises:
            StoreCorruptError: if it is not there, or is not what was written.
        """
        return self._store.entry(event_id)

    def keys_with_prefix(self, digits: str, limit: int = 100) -> list[bytes]:
        """Give up to ``limit`` keys whose hex form begins with ``digits``, ascending."""
        return self._fold.keys_with_prefix(digits, limit)

    def log_name(self, log_id: bytes) -> str:
        """Give the name that a log's genesis states."""
        log = self._store.log(log_id)
        return log.name if log else ""

    def is_own(self, log_id: bytes) -> bool:
        """Whether this store writes the log, or wrote it until it was closed."""
        sql = "SELECT 1 FROM own JOIN log USING(log) WHERE log_id = ?"
        return bool(self.connection.execute(sql, (log_id,)).get)

    def clock_last(self) -> int:
        """Give the stamp that this store's next event is stamped past."""
        return self._core.owner.clock_last()

    def own_log(self) -> tuple[bytes, str] | None:
        """Give the id of the log that is open here, and why it is not ours to extend, if so.

        Raises:
            StoreError: if its key's file cannot be read, or holds something else.
        """
        own = self._core.owner.current()
        return own and (own.log.log_id, self._core.owner.find_loss(own))


class Transaction(Reading):
    """A writing transaction: what it appends is folded and shown at once, inside it."""

    def __init__(self, core: Core, now_ms: int) -> None:
        super().__init__(core)
        self._now_ms = now_ms

    def append(self, drafts: Iterable[Draft]) -> list[Entry]:
        """Append events to this store's own log, beginning one if it has none.

        Returns:
            The drafts' events, in order.

        Raises:
            UsageError: if a draft breaks the table of kinds or a limit.
            StoreAccessError: if the file was moved or replaced since it was opened.
        """
        return self._core.append(list(drafts), self._now_ms)

    def begin_log(self) -> None:
        """Make sure that this store has an open log of its own, as the next append would."""
        self._core.begin_log(self._now_ms)

    def set_clock(self, last: int) -> None:
        """Let this store's clock go on from the stamp ``last``, which may be earlier than it was.

        Only for one that was ahead: what is appended now is stamped past ``last`` and the wall.
        """
        self._core.owner.set_clock(last)
