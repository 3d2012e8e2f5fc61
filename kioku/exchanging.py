"""What an exchange with other replicas asks of a replica: what is held, and the ways in.

Each call is one transaction, so nothing that a peer asks for blocks anybody for long. Nothing here
seals: what is stated is what was sealed before. Whoever speaks for the replica seals first
(``Replica.seal``), once, and not each time that somebody asks.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kioku.crdt.standing import Outcome
from kioku.errors import BadCommitmentError, InvalidArgumentError, StoreAccessError
from kioku.log.erasure import count_due
from kioku.log.private import PRIVATE_SPACE, refuse_private, space_of
from kioku.log.schema import read_meta, write_meta
from kioku.log.transfer import read_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from kioku.log.database import Database
    from kioku.log.event import EventId
    from kioku.log.frontier import Frontier, Tip
    from kioku.log.lookup import Changes, Lookup
    from kioku.log.path import Path
    from kioku.transaction import Core
    from kioku.transport.holdings import Body, Place

NONCE_BYTES: Final = 16
NONCES_MAX: Final = 64
"""Nonces that are remembered: a message of a node that is so many starts old is long dropped."""


class Exchanging:
    """What ``Replica`` offers to whoever exchanges.

    What would give something out raises ``PrivateSpaceError`` where the space is private.
    """

    _database: Database
    _core: Core

    def _opened(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def _writing(self, now_ms: int, *, full: bool = False) -> AbstractContextManager[None]:
        raise NotImplementedError

    @contextmanager
    def _asked(self) -> Iterator[Lookup]:
        from kioku.log.lookup import Lookup  # no save has a use for it

        with self._opened(), self._database.read():
            yield Lookup(self._core.store)

    # -- what is stated

    def stated_digest(self) -> bytes:
        """Give the digest of what is stated, as it is kept: 32 bytes; seals nothing."""
        with self._opened(), self._database.read():
            return self._core.store.digest()

    def stated_frontier(self) -> Frontier:
        """Give what is stated; seals nothing. Cost: about 5 µs a log."""
        with self._opened(), self._database.read():
            return self._core.store.frontier()

    def stated_changes(self, row: int, digest: bytes | None) -> Changes:
        """Give the logs whose stated tips may have changed, and all of them for a row of -1.

        Args:
            row: the newest event's row when last asked.
            digest: that of what is known: while it is the stored one, nothing has changed.
        """
        with self._asked() as lookup:
            return lookup.changes_since(row, digest)

    def data_version(self) -> int:
        """Give a number that is another one once another connection has written to the file."""
        with self._opened(), self._database.errors():
            return int(self._database.pragma("data_version"))

    # -- what is held

    def tips_of(self, log_id: bytes) -> list[Tip]:
        """Give a log's stated tips, ascending by seq."""
        with self._asked() as lookup:
            return lookup.tips_of(log_id)

    def holds(self, event: EventId) -> bool:
        """Whether exactly this event is here and sealed, itself or later, on any branch."""
        with self._asked() as lookup:
            return lookup.holds(event)

    def stamps_of(self, events: Sequence[EventId]) -> list[int]:
        """Give the stamps of events; 0 for one that is not here."""
        with self._asked() as lookup:
            return lookup.stamps_of(events)

    def sealed_at_or_below(self, event: EventId) -> Place | None:
        """Give the last sealed event at or before a held one, on its own path; None for none."""
        from kioku.transport.holdings import Place

        with self._asked() as lookup:
            found = lookup.last_sealed(event)
        return Place(*found) if found else None

    def hashes(self, goal: EventId, seqs: Sequence[int]) -> list[Place] | None:
        """Give the events at ``seqs`` on the way to ``goal``; None if ``goal`` is not held."""
        from kioku.transport.holdings import Place

        with self._asked() as lookup:
            found = lookup.hashes_on(goal, seqs)
        return None if found is None else [Place(*one) for one in found]

    def read_range(self, goal: EventId, after: Place | None) -> Iterator[bytes] | None:
        """Give the chunks past ``after`` on the way to ``goal``; all for None.

        None if ``goal`` is not sealed here or ``after`` is not on the way to it. Each chunk is read
        in a transaction of its own, when it is asked for.

        Raises:
            StoreCorruptError: while they are read, if an event or a body is not what was written.
        """
        with self._asked() as lookup:
            path = lookup.sealed_path_to(goal)
            if path is None or (after is not None and not path.has(after.seq, after.hash)):
                return None
        return self._chunks(path, after.seq if after is not None else 0)

    def _chunks(self, path: Path, last: int) -> Iterator[bytes]:
        """Read the chunks past ``last`` on a path, each in a transaction of its own."""
        while True:
            with self._opened(), self._database.read():
                found = read_chunk(self._core.store, path, last)
            if found is None:
                return
            yield found[0]
            last = found[1]

    def bodies(self, events: Iterable[EventId]) -> list[Body]:
        """Give the bodies that are here, whole; none that is purged or retracted is."""
        from kioku.transport.holdings import Body

        with self._asked() as lookup:
            return [Body(*found) for found in lookup.bodies_of(events)]

    def missing_events(self, limit: int) -> list[EventId]:
        """Give events whose bodies should be here and are not, the newest first."""
        with self._asked() as lookup:
            return lookup.missing(limit)

    def supply_bodies(self, bodies: Sequence[Body], *, now_ms: int) -> int:
        """Give missing events their bodies, and show what they reveal; gives how many were.

        What is not missing is left alone, and so is what a purge or a retract has erased.

        Raises:
            BadCommitmentError: if one is not what its event commits to; none was stored.
        """
        with self._opened():
            with self._writing(now_ms):
                supplied = []
                for event, salt, body in bodies:
                    row = self._missing_row(event, salt, body)
                    if row is not None and self._core.store.supply_body(row, salt, body):
                        supplied.append(row)
                self._core.follow(Outcome(self._core.fold.reveal(supplied), [], 0))
            return len(supplied)

    def _missing_row(self, event: EventId, salt: bytes, body: bytes) -> int | None:
        from kioku.log.lookup import find, fits

        found = find(self._core.store, event)
        if found is not None and not fits(found, salt, body):
            raise BadCommitmentError(
                f"log {event.log_id.hex()} seq {event.seq}: the body is not the one that it"
                " commits to; another replica may have it"
            )
        return found.row if found else None

    # -- whose log, which space

    def note_nonce(self, nonce: bytes) -> None:
        """Remember, on the disk, that a node of this store speaks under this nonce (16 bytes)."""
        assert len(nonce) == NONCE_BYTES, "a nonce is 16 bytes"
        with self._opened(), self._writing(0, full=True):
            known = self._nonces() + nonce
            write_meta(self._core.connection, "nonces", known[-NONCES_MAX * NONCE_BYTES :])

    def has_nonce(self, nonce: bytes) -> bool:
        """Whether a node of this store spoke under this nonce, of late."""
        with self._opened(), self._database.read():
            known = self._nonces()
        starts = range(0, len(known), NONCE_BYTES)
        return any(known[at : at + NONCE_BYTES] == nonce for at in starts)

    def _nonces(self) -> bytes:
        return bytes(read_meta(self._core.connection, "nonces", b""))

    def begin_log(self, now_ms: int) -> bytes:
        """Make sure that this store has an open log of its own, and give its id.

        Writes nothing where it has one. Whatever is sent in a replica's name needs one.

        Raises:
            PrivateSpaceError: if the space is private: nobody is spoken to.
        """
        with self._opened():
            with self._database.read() as connection:
                refuse_private(connection)
                own = self._core.owner.current()
                if own is not None and self._core.owner.key_of(own) is not None:
                    return own.log.log_id
            with self._writing(now_ms, full=True):
                self._core.begin_log(now_ms)
                own = self._core.owner.current()
                assert own is not None, "a log was begun"
                return own.log.log_id

    def close_own_log(self, log_id: bytes | None = None) -> bool:
        """Close this store's own log for ever: the next append begins another that names it.

        For whoever learns that somebody else writes it too. With ``log_id`` only while the open
        log is that one. False if there was nothing to close.
        """
        with self._opened(), self._writing(0, full=True):
            own = self._core.owner.current()
            if own is None or log_id not in (None, own.log.log_id):
                return False
            self._core.owner.close(own)
            return True

    def space_id(self) -> bytes:
        """Give the id of the space (16 bytes), which says whom this replica may exchange with."""
        with self._opened(), self._database.read() as connection:
            return bytes(read_meta(connection, "space_id", b""))

    def space_name(self) -> str:
        """Give the name of the space."""
        with self._opened(), self._database.read() as connection:
            return space_of(connection)

    def adopt_space(self, space_id: bytes, name: str) -> None:
        """Become a replica of another space, with all that is here.

        Raises:
            InvalidArgumentError: if that space would be private.
            StoreAccessError: if this replica has met others, whose events are in here.
            PrivateSpaceError: if the space is private.
        """
        from kioku.log.peers import has_met

        if name == PRIVATE_SPACE:
            raise InvalidArgumentError(f"space {name}: is never shared; give another name")
        with self._opened(), self._writing(0, full=True):
            connection = self._core.connection
            refuse_private(connection)
            if read_meta(connection, "space_id") == space_id and space_of(connection) == name:
                return
            if has_met(connection):
                raise StoreAccessError(
                    f"space {space_of(connection)}: this replica has met others of it, so it cannot"
                    f" become one of space {name}; kioku export here, and kioku import there"
                )
            write_meta(connection, "space_id", space_id)
            write_meta(connection, "space", name)

    def is_erased(self) -> bool:
        """Whether nothing that a purge or retract named is left in any file here."""
        with self._opened(), self._database.read() as connection:
            return not count_due(connection)
