"""A replica: one machine's copy of a space, for any payload.

Log, fold and view lie in one file and change in one transaction: what is appended is folded and
shown when the call returns, and after a crash all of it is there or none. A replica knows nothing
of observations; it takes its view as an argument, and a key-value store on it is a page of code
(docs/python.md). It reads no clock: ``now_ms`` is an argument of every call that needs one.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from kioku.copying import Copying
from kioku.crdt.fold import TABLES as FOLD_TABLES
from kioku.crdt.standing import View
from kioku.erasing import Erasing
from kioku.errors import (
    ReplicaClosedError,
    StoreAccessError,
    StoreCorruptError,
)
from kioku.exchanging import Exchanging
from kioku.log.chunk import decode_chunk
from kioku.log.database import APPLICATION_ID, BUSY_TIMEOUT_MS, Database, Durability
from kioku.log.draft import Draft
from kioku.log.erasure import count_due
from kioku.log.event import PURGE, RETRACT
from kioku.log.frontier import Frontier
from kioku.log.keyfile import FileKeyRing, MemoryKeyRing
from kioku.log.owner import Owner, RandomBytes
from kioku.log.path import Path, start_of
from kioku.log.private import is_private, refuse_private
from kioku.log.schema import SCHEMA_VERSION, write_space
from kioku.log.schema import TABLES as LOG_TABLES
from kioku.log.store import Entry, LogStore
from kioku.log.transfer import genesis_of, place, read_seal
from kioku.meeting import Meeting
from kioku.transaction import (
    Core,
    IngestCounts,
    Reading,
    ReplicaStatistics,
    Transaction,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kioku.audit import Finding
    from kioku.log.chunk import Chunk
    from kioku.log.event import EventId
    from kioku.log.keyfile import KeyRing

__all__ = [
    "Draft",
    "IngestCounts",
    "Reading",
    "Replica",
    "ReplicaStatistics",
    "Transaction",
    "Version",
    "View",
]


class Replica(Copying, Erasing, Exchanging, Meeting):
    """One machine's copy of a space. Safe to share between threads, not across a fork."""

    def __init__(self, database: Database, attach: Callable[[Database], Core]) -> None:
        self._database = database
        self._attach = attach
        self._core = attach(database)
        self._lock = threading.RLock()
        self._is_closed = False
        self.followers: list[Callable[[], None]] = []  # called after each commit, in its thread

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        rng: RandomBytes,
        name: str,
        view: View | None = None,
        space: str | None = None,
        private: bool = False,
        durability: Durability = "full",
        machine_id: bytes | None = None,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> Replica:
        """Open a store, or create one that is empty.

        Args:
            path: the file, also by a link to it, or ``":memory:"``.
            rng: what draws salts and keys: ``random.SystemRandom()``.
            name: what this replica calls itself in the genesis of its logs; public.
            view: what follows the fold; None for the log and the merge alone.
            space: the space's name, which gives its id; the file's name by default.
            private: create it as one whose events never leave it; one that is there stays as it is.
            durability: ``"full"`` survives power loss, ``"normal"`` a crash of the process only.
            machine_id: a fingerprint of this machine, where it has a stable one.
            busy_timeout_ms: how long to wait for other processes' locks.

        Raises:
            StoreError: the kind that says why the file cannot be used.
        """
        path = os.path.realpath(path) if os.fspath(path) != ":memory:" else ":memory:"
        database = Database(path, durability=durability, busy_timeout_ms=busy_timeout_ms)
        try:
            keys: KeyRing = MemoryKeyRing() if database.is_memory else FileKeyRing(path)

            def attach(database: Database) -> Core:
                store = LogStore(database.connection)
                owner = Owner(store, keys, rng=rng, name=name, machine_id=machine_id)
                return Core(store, owner, view)

            replica = cls(database, attach)
            replica._prepare(space or os.path.splitext(os.path.basename(path))[0], private)
        except BaseException:
            database.close()
            raise
        return replica

    @property
    def path(self) -> str:
        """The store's file, links followed; ``":memory:"`` without one."""
        return self._database.path

    def _prepare(self, space: str, private: bool) -> None:
        if self._database.check_schema(SCHEMA_VERSION) == 0:
            self._create(space, private)
        with self._database.errors():
            connection = self._database.connection
            self._core.has_erased = count_due(connection) > 0
            stored = self._core.derived_by()
        if stored != self._core.versions:
            self._core.check_not_newer()
            self.rebuild(strict=False)
        self._try_erasing()

    def _create(self, space: str, private: bool) -> None:
        with self._database.write(full=True) as connection:
            if connection.execute("PRAGMA user_version").get:
                return  # another process was first
            if self._database.was_there and self._core.owner.has_written():
                raise StoreCorruptError(
                    f"{self._database.path}: is empty, but a log's key lies beside it; restore"
                    " the store from a backup, or move the key away to begin anew"
                )
            for statement in (*LOG_TABLES, *FOLD_TABLES):
                connection.execute(statement)
            if self._core.view is not None:
                self._core.view.create(connection)
            write_space(connection, space, private=private)
            self._core.note_versions()
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    # -- transactions

    @contextmanager
    def reading(self, *, now_ms: int) -> Iterator[Reading]:
        """Read consistently; first folds what was held and whose time has come."""
        with self._opened():
            with self._database.errors():
                is_due = self._core.fold.is_release_due(now_ms)
            if is_due:
                with self._writing(now_ms):
                    pass
            with self._database.read():
                yield Reading(self._core)

    @contextmanager
    def transaction(self, *, now_ms: int) -> Iterator[Transaction]:
        """Read and append in one step that no other process can come between.

        All of it is committed when the block ends, nothing if it raises.
        """
        with self._opened():
            with self._writing(now_ms):
                yield Transaction(self._core, now_ms)
            self._try_erasing()

    @contextmanager
    def _opened(self) -> Iterator[None]:
        self._database.check_process()  # first: a lock that was held at the fork stays so for ever
        with self._lock:
            if self._is_closed:
                raise ReplicaClosedError("the replica is closed; open it again")
            if self._database.has_failed:
                self._reattach()
            yield

    def _reattach(self) -> None:
        """Go on after a disk error on a new connection: nothing that the old one caches is true.

        FTS5 keeps parts of its index in memory, and was seen to call a sound file malformed after
        a read had failed.
        """
        self._database.reopen()
        before, self._core = self._core, self._attach(self._database)
        self._core.has_erased = before.has_erased
        self._core.owner.opened_inode = before.owner.opened_inode  # it must still be that file

    @contextmanager
    def _writing(self, now_ms: int, *, full: bool = False) -> Iterator[None]:
        self._database.check_idle()
        is_committed = False
        try:
            with self._database.write(full=full):
                self._core.begin(now_ms)
                yield
            is_committed = True
        finally:
            self._core.owner.ended(committed=is_committed)
        for follower in self.followers:
            follower()

    def append(self, drafts: Iterable[Draft], *, now_ms: int) -> list[Entry]:
        """Append events in a transaction of their own; see ``Transaction.append``."""
        with self.transaction(now_ms=now_ms) as transaction:
            return transaction.append(drafts)

    def open_again(self, *, busy_timeout_ms: int) -> Replica:
        """Open the same store on a connection of its own, for what works beside its user."""
        owner = self._core.owner
        return Replica.open(
            self.path,
            rng=owner.rng,
            name=owner.name,
            view=self._core.view,
            durability=self._database.durability,
            machine_id=owner.machine_id,
            busy_timeout_ms=busy_timeout_ms,
        )

    def _open_beside(self, path: str) -> Replica:
        owner = self._core.owner
        return Replica.open(path, rng=owner.rng, name=owner.name, view=self._core.view)

    # -- exchanging

    def is_private(self) -> bool:
        """Whether its space is private: then nothing below gives anything out."""
        with self._opened(), self._database.read() as connection:
            return is_private(connection)

    def seal(self) -> int:
        """Sign this store's own log up to its end; gives how many events that covers anew.

        What an older log left unsealed, because its key is gone or another store has it, is
        appended again to a new one first, so that it can be given to others.

        Raises:
            StoreError: if it cannot be written.
            PrivateSpaceError: if the space is private, as from all that follows here.
        """
        with self._opened():
            with self._database.read() as connection:
                refuse_private(connection)
                if not self._core.owner.count_unsealed():
                    return 0
            with self._writing(0, full=True):
                self._core.adopt_tails()
                count = self._core.owner.seal_tail()
            self._try_erasing()
            return count

    def count_unsealed(self) -> int:
        """Count own events that are not sealed, so in no frontier or chunk yet."""
        with self._opened(), self._database.read():
            return self._core.owner.count_unsealed()

    def frontier(self) -> Frontier:
        """Seal, and state what this replica has: all that it can give to others."""
        with self._stating() as store:
            return store.frontier()

    def digest(self) -> str:
        """Seal, and give the fingerprint of the frontier: 64 hex digits; equal means level."""
        with self._stating() as store:
            return store.digest().hex()

    @contextmanager
    def _stating(self) -> Iterator[LogStore]:
        with self._opened():
            # What cannot be sealed here is left out, and ``count_unsealed`` says how much it is.
            with suppress(StoreAccessError):
                self.seal()
            with self._database.read():
                yield self._core.store

    def export_chunks(self, after: Frontier | None = None) -> Iterator[bytes]:
        """Give what a replica with the frontier ``after`` lacks, as chunks, in order.

        Everything for None. Each chunk is read in a transaction of its own, so a long export
        blocks nobody. A process that may not write leaves out what is not sealed: see
        ``count_unsealed``.

        Raises:
            StoreCorruptError: if an event does not chain or its body is not what was written.
        """
        known = after if after is not None else Frontier()
        sent: dict[bytes, list[EventId]] = {}
        for tip in self.frontier():
            if tip not in known:
                before = sent.setdefault(tip.log_id, known.of_log(tip.log_id))
                yield from self._export_to(tip, tuple(before))
                before.append(tip)

    def _export_to(self, tip: EventId, known: Iterable[EventId]) -> Iterator[bytes]:
        with self._opened(), self._database.read():
            path = Path(self._core.store, tip)
            last, lacks_seal = start_of(path, known)
            seal = read_seal(self._core.store, path, last) if lacks_seal else None
        if seal is not None:
            yield seal
        yield from self._chunks(path, last)

    def ingest_chunk(
        self, data: bytes, *, now_ms: int, space_id: bytes | None = None
    ) -> IngestCounts:
        """Accept a chunk: verified whole first, then stored, folded and shown at once.

        Ingesting it again, or after a longer one, changes nothing. ``space_id`` is of the space
        that a peer sent it in, for ever this store's from then on; None for what a person brought.

        Raises:
            PeerError: the kind that says why it is refused; nothing of it was stored.
            StoreAccessError: if this store is not of that space; nothing was stored.
        """
        chunk = decode_chunk(data)
        full = any(event.kind in (PURGE, RETRACT) for event in chunk.events)
        with self._opened():
            self._verify(chunk)
            with self._writing(now_ms, full=full):
                if space_id is not None:
                    self._note_meeting(space_id)
                counts = self._core.ingest(chunk, now_ms)
            self._try_erasing()
            return counts

    def _verify(self, chunk: Chunk) -> None:
        from kioku.log.seal import verify

        with self._database.read():
            log = self._core.store.log(chunk.log_id)
            if log is None:
                place(self._core.store, chunk)  # refuses a chunk that nothing precedes
        public_key = log.public_key if log else genesis_of(chunk).public_key
        verify(public_key, chunk.last, chunk.signature)

    # -- keeping

    def rebuild(
        self, *, progress: Callable[[int, int], None] | None = None, strict: bool = True
    ) -> None:
        """Fold the whole log again and build the view anew; what is shown does not change.

        Not ``strict``, a body that rotted is found by who reads it: all else stays in use.

        Raises:
            StoreCorruptError: if a body is not what was written; nothing was changed.
            SchemaVersionError: if a newer kioku has built fold or view.
        """
        with self._opened():
            with self._database.write():
                self._core.refold(progress, strict=strict)
                self._core.note_versions()
            self._try_erasing()

    def statistics(self) -> ReplicaStatistics:
        """Give a snapshot in numbers. Cost: O(logs + held + missing)."""
        with self._opened(), self._database.read():
            return self._core.statistics(self._database.file_bytes())

    def check(self, *, deep: bool, now_ms: int) -> list[Finding]:
        """Look for damage; ``deep`` reads every event. Changes nothing, raises for nothing."""
        from kioku.audit import check_store

        with self._opened(), self._database.read():
            return check_store(self._core, deep=deep, now_ms=now_ms)

    def close(self) -> None:
        """Close the store; safe to call twice, and after a fork, where it does nothing."""
        with suppress(ReplicaClosedError):
            self._database.check_process()
            with self._lock:
                self._is_closed = True
                self._database.close()

    def __enter__(self) -> Replica:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
