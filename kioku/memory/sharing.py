"""What a memory gives to other stores and takes from them, and what keeps its own in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.errors import InvalidArgumentError
from kioku.memory.handle import Handle

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from kioku.backup import Backup
    from kioku.clock_repair import ClockRepair, HeldRetraction
    from kioku.log.frontier import Frontier
    from kioku.memory.results import MemoryStatistics
    from kioku.replica import IngestCounts


class Sharing(Handle):
    """Frontiers, chunks, counts, rebuilding and the clock.

    What would give something out raises ``PrivateSpaceError`` where the space is private.
    """

    def frontier(self) -> Frontier:
        """What this store has: the set of its logs' tips, for another's ``export_chunks``."""
        return self._replica.frontier()

    def digest(self) -> str:
        """The fingerprint of the frontier, 64 hex digits: equal stores have equal digests."""
        return self._replica.digest()

    def export_chunks(self, after: Frontier | None = None) -> Iterator[bytes]:
        """Give what a peer with the frontier ``after`` lacks, signed; None for everything.

        Each chunk (at most 1,000 events or 256 KiB, but for one larger event) is read in a
        transaction of its own: a slow consumer holds no lock.
        """
        return self._replica.export_chunks(after)

    def ingest_chunk(self, chunk: bytes) -> IngestCounts:
        """Take in a chunk that another store exported; verified first, harmless when repeated.

        Raises:
            PeerError: if it is malformed, forged or does not link; nothing of it was stored.
        """
        if not isinstance(chunk, bytes):
            raise InvalidArgumentError(f"chunk: {type(chunk).__name__} is not bytes")
        return self._replica.ingest_chunk(chunk, now_ms=self.now_ms())

    def backup(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Backup:
        """Copy everything but the keys to one file, while others go on saving; nobody waits.

        The copy is sealed, free of everything that was purged, and verified event by event before
        the file appears; ``progress`` gets (pages copied, pages). ``kioku.restore`` puts it back.

        Raises:
            ExistsError: if a file is there and ``overwrite`` is False.
            StoreError: if it cannot be read or written, or is damaged; ``path`` is as it was.
        """
        from kioku.backup import write
        from kioku.memory.intake import path_of
        from kioku.view.schema import ObservationView

        return write(
            self._replica,
            path_of(path),
            view=ObservationView(),
            overwrite=overwrite,
            progress=progress,
        )

    def statistics(self) -> MemoryStatistics:
        """Counts of this moment. Cost: grows with the store, some 20 ms at 100,000."""
        from kioku.memory import census

        return census.take(self._replica, self._author, now_ms=self.now_ms())

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Derive everything that is derived again, from the log; changes no answer."""
        self._replica.rebuild(progress=progress)

    def fix_clock(self, *, dry_run: bool = False) -> ClockRepair:
        """Stamp again, from the clock as it is now, what was saved while it ran ahead.

        What this store saved or deleted more than 60 s ahead is appended again and then retracted,
        in one transaction. What can be read stays as it is, and so does what others wrote; from
        then on their edits count. Be sure that the clock is right now. ``dry_run`` only looks.

        Raises:
            ClockError: if the clock itself may be what is wrong: it stands before 2025, or events
                of other logs that took effect here lie ahead of it too; nothing was written.
            StoreError: if the content of such an event is missing here; nothing was written.
        """
        from kioku import clock_repair

        now_ms = self.now_ms()
        if dry_run:
            with self._replica.reading(now_ms=now_ms) as reading:
                found = clock_repair.survey(reading, wall_ms=now_ms)
            clock_repair.check_safe(found)
        else:
            with self._replica.transaction(now_ms=now_ms) as transaction:
                found = clock_repair.repair(transaction, wall_ms=now_ms)
        return clock_repair.result(found, is_dry_run=dry_run)

    def retract_held(self, name: str, *, dry_run: bool = False) -> HeldRetraction:
        """Take back, everywhere, what a machine that is gone has stamped ahead of the clock.

        Events of ``name``, or of the log whose id begins so, that wait here for their time are
        retracted: they have had no effect, and then never will; their content is erased. While that
        machine can still be mended, rather set its clock and call ``fix_clock`` there, which keeps
        all of it. ``dry_run`` only looks.

        Raises:
            NotFoundError: if nothing of that name waits here; nothing was written.
            AmbiguousIdError: if that of several logs does: two machines may be called alike.
        """
        from kioku import clock_repair

        now_ms = self.now_ms()
        if dry_run:
            with self._replica.reading(now_ms=now_ms) as reading:
                held = clock_repair.find_held(reading, name)
        else:
            with self._replica.transaction(now_ms=now_ms) as transaction:
                held = clock_repair.retract_held(transaction, name)
        return clock_repair.retraction(held, name, wall_ms=now_ms, is_dry_run=dry_run)
