"""A memory: what an agent knows, saved, found and forgotten over one replica of a space.

The rule this module guards: **saving never needs anybody else, and what was acknowledged is
there**. Each call is one transaction or one read; nothing is kept between calls but the open
replica, so any number of threads and processes share one store. What the steps do is in ``intake``
and ``change`` (writing), ``recall`` and ``history`` (reading) and ``retention``.

The clock and the source of ids are arguments, so that a test with a clock of its own drives all
of it; ``opening`` passes the real ones.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import AmbiguousIdError, InvalidArgumentError, NotFoundError
from kioku.log.event import make_key
from kioku.log.hlc import pack
from kioku.memory import change, recall
from kioku.memory.intake import (
    Author,
    Changes,
    Fields,
    from_fields,
    from_item,
    key_of_id,
    prefix_digits,
    reason_body,
)
from kioku.observation import from_unix_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self, Unpack

    from kioku.config import Settings
    from kioku.log.frontier import Frontier
    from kioku.memory.results import HistoryEntry, Hit, MemoryStatistics
    from kioku.observation import Observation
    from kioku.replica import IngestCounts, Replica
    from kioku.retention import GcCounts

    # ``list`` is a method here, so the class cannot name the type by that word.
    Observations = list[Observation]
    HistoryEntries = list[HistoryEntry]
    Hits = list[Hit]

BATCH: Final = 1_000
"""Observations of one transaction of ``save_many``: its fsync is a hundredth of it, and others wait
for the lock no longer than some 20 ms."""

ERASURE_WAIT_MS: Final = 30_000


class Memory:
    """One open store; ``kioku.open`` gives it, ``close`` or leaving its ``with`` ends it.

    Safe to share between threads. After ``close`` every call raises ``ReplicaClosedError``.
    """

    def __init__(
        self,
        replica: Replica,
        settings: Settings,
        *,
        session_id: str,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Take over an open replica; ``clock`` gives nanoseconds since 1970."""
        self._replica = replica
        self._clock = clock
        self._random_bytes = random_bytes
        self._author = Author(settings.agent_family, settings.client_id, settings.pc_id, session_id)

    @property
    def session_id(self) -> str:
        """The session that saves belong to unless they name another."""
        return self._author.session_id

    @property
    def replica(self) -> Replica:
        """The replica below, for what a memory does not offer; it closes with the memory."""
        return self._replica

    # -- saving ---------------------------------------------------------------------------------

    def save(self, content: str, **fields: Unpack[Fields]) -> Observation:
        """Save one observation; when this returns it survives a crash.

        At durability ``full`` it survives a power cut too. Fields: project, tags, memory_type
        (``note``), importance (2), subject, summary, source_files, references, supersedes (full
        ids), expires_at or ttl (from now), session_id (the memory's own), extra. One that is None
        counts as not given.

        Raises:
            InvalidObservationError: if a field breaks its rule or limit; nothing was written.
            StoreError: if it could not be written; nothing was acknowledged.
        """
        now_ms = self.now_ms()
        given = {**fields, "content": content}
        observation = from_fields(given, self._author, now=from_unix_ms(now_ms))
        item = change.prepare(observation, make_key(self._random_bytes(10), now_ms))
        with self._replica.transaction(now_ms=now_ms) as transaction:
            return change.save(transaction, [item])[0]

    def save_many(
        self,
        items: Iterable[Mapping[str, Any] | Observation],
        *,
        keep_times: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Observations:
        """Save many observations, about 1,000 a transaction; all are checked before the first.

        Args:
            items: dicts of the fields of ``save``, or observations. An observation that has an id
                keeps it and its author, so saving one that is here already is an edit of it.
            keep_times: stamp observations that have an id with their own ``updated_at``, so that
                importing them here and elsewhere undoes nothing that is newer. Those that are
                here already, or newer, deleted or purged here, are left out.
            progress: called with (done, total) after each transaction.

        Returns:
            What was written, in the order given.

        Raises:
            InvalidObservationError: if any item breaks a rule; then nothing was written.
            StoreError: if a transaction failed; those reported to ``progress`` are safe.
        """
        now_ms = self.now_ms()
        now = from_unix_ms(now_ms)
        prepared = [
            change.prepare(
                from_item(item, self._author, now=now),
                make_key(self._random_bytes(10), now_ms),
                keep_times=keep_times,
            )
            for item in items
        ]
        saved: Observations = []
        for start in range(0, len(prepared), BATCH):
            batch = prepared[start : start + BATCH]
            with self._replica.transaction(now_ms=self.now_ms()) as transaction:
                saved += change.save(transaction, batch)
            if progress is not None:
                progress(start + len(batch), len(prepared))
        return saved

    def edit(self, id: str, **changes: Unpack[Changes]) -> Observation:
        """Change fields of an observation; all others stay, those of a newer kioku included.

        Read, changed and written in one transaction, so two edits of different fields in two
        processes of one machine both last. On two machines the later one wins whole, and
        ``history`` shows the other. An expired one can be edited by giving it another
        ``expires_at`` (None for none).

        Raises:
            NotFoundError: if there is nothing to edit under this id.
            InvalidObservationError: if a change breaks a rule; nothing was written.
        """
        key, now_ms = key_of_id(id), self.now_ms()
        with self._replica.transaction(now_ms=now_ms) as transaction:
            return change.edit(transaction, key, changes, now_ms=now_ms)

    # -- finding --------------------------------------------------------------------------------

    def search(
        self,
        query: str = "",
        *,
        project: str | None = None,
        limit: int = 10,
        mode: str = "or",
        **filters: Unpack[recall.Filters],
    ) -> Hits:
        """Find observations by their words, the best first; any string is a query.

        A blank query gives the newest. ``mode`` says how many of the words must be there: ``or``
        any, ``and`` all, ``and_or`` all or, where nothing has them all, any.

        Raises:
            InvalidArgumentError: if ``limit``, ``mode`` or a filter is out of range.
        """
        wanted = recall.make_filter(project, filters)
        recall.check_search(query, limit=limit, mode=mode)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            return recall.search(
                reading, query, wanted=wanted, limit=limit, now_ms=now_ms, mode=mode
            )

    def get(self, id: str) -> Observation | None:
        """Give an observation by its full id; None if it is unknown, deleted, purged or expired."""
        key, now_ms = key_of_id(id), self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            observation = recall.read_shown(reading, key)
        if observation is None or not recall.is_alive(observation, now_ms):
            return None
        return observation

    def list(
        self,
        *,
        project: str | None = None,
        limit: int = 100,
        include_deleted: bool = False,
        **filters: Unpack[recall.Filters],
    ) -> Observations:
        """Give the newest observations, by the stamp of their last change, the greatest first.

        ``include_deleted`` adds the deleted ones whose last version can still be read, marked
        ``is_deleted`` and placed by the time of their deletion.
        """
        from kioku.memory import history as past

        wanted = recall.make_filter(project, filters)
        recall.check_limit(limit)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            found = recall.newest(reading, wanted=wanted, limit=limit, now_ms=now_ms)
            if include_deleted:
                found += past.deleted(reading, wanted=wanted, limit=limit)
        return past.in_order(found, limit=limit)

    def history(self, id: str) -> HistoryEntries:
        """Give every version, deletion and purge of an observation, the greatest stamp first.

        Raises:
            NotFoundError: if no event here is about this id.
        """
        from kioku.memory import history as past

        key, now_ms = key_of_id(id), self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            entries = past.entries(reading, key)
        if not entries:
            raise NotFoundError(f"{id}: nothing here has ever had this id")
        return entries

    def resolve_id(self, prefix: str) -> str:
        """Give the one full id that begins with ``prefix`` (at least 6 hex digits).

        Raises:
            NotFoundError: if there is none.
            AmbiguousIdError: if there are several.
        """
        digits = prefix_digits(prefix)
        with self._replica.reading(now_ms=self.now_ms()) as reading:
            keys = reading.keys_with_prefix(digits)
        if not keys:
            raise NotFoundError(f"{prefix}: no observation here has an id that begins so")
        if len(keys) > 1:
            raise AmbiguousIdError(digits, len(keys))
        return keys[0].hex()

    # -- forgetting -----------------------------------------------------------------------------

    def delete(self, id: str, reason: str = "") -> None:
        """Delete an observation everywhere; ``undelete`` brings it back until ``gc`` erases it.

        Raises:
            NotFoundError: if there is nothing under this id, or it is deleted or purged already.
        """
        key, body = key_of_id(id), reason_body(reason)
        with self._replica.transaction(now_ms=self.now_ms()) as transaction:
            change.delete(transaction, key, body)

    def undelete(self, id: str) -> Observation:
        """Bring a deleted observation back as its last readable version was.

        Raises:
            NotFoundError: if it is unknown, or no version of it can be read any more.
            InvalidArgumentError: if it is not deleted.
        """
        key = key_of_id(id)
        with self._replica.transaction(now_ms=self.now_ms()) as transaction:
            return change.undelete(transaction, key)

    def purge(self, id: str) -> bool:
        """Erase an observation for ever, here at once and on every replica that hears of it.

        Also of an id that was never held here: then no copy will ever be taken in.

        Returns:
            Whether there was a copy here.

        Raises:
            StoreBusyError: if a reader kept its bytes in the file for 30 s. The purge stands all
                the same; the bytes go when that reader ends and the store is next used.
        """
        key = key_of_id(id)
        with self._replica.transaction(now_ms=self.now_ms()) as transaction:
            had_copy = change.purge(transaction, key)
        self._replica.finish_erasure(ERASURE_WAIT_MS)
        return had_copy

    def gc(
        self,
        retention: timedelta = timedelta(days=30),
        *,
        dry_run: bool = False,
        project: str | None = None,
        host: str | None = None,
        history: timedelta | None = None,
    ) -> GcCounts:
        """Erase what has been deleted or expired for longer than ``retention``, everywhere.

        ``history`` also erases versions that were edited away longer ago than that. Nothing that
        can be read now goes, whatever the ages: only what an event has deleted, an expiry has
        ended or an edit has replaced. ``dry_run`` counts the same and writes nothing.

        Raises:
            InvalidArgumentError: if an age is negative.
            StoreBusyError: as of ``purge``.
        """
        from kioku import retention as garbage

        policy = garbage.make_policy(retention, history, project=project, host=host)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            plan = garbage.find(reading, policy, wall_ms=now_ms)
        if plan.targets and not dry_run:
            # What another process saves between the two is no target, so nothing is lost by it.
            with self._replica.transaction(now_ms=self.now_ms()) as transaction:
                transaction.append(garbage.drafts(plan.targets))
            self._replica.finish_erasure(ERASURE_WAIT_MS)
        return plan.counts(is_dry_run=dry_run)

    # -- sharing --------------------------------------------------------------------------------

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

    # -- the store ------------------------------------------------------------------------------

    def statistics(self) -> MemoryStatistics:
        """Counts of this moment. Cost: grows with the store, some 20 ms at 100,000."""
        from kioku.memory import census

        return census.take(self._replica, self._author, now_ms=self.now_ms())

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Derive everything that is derived again, from the log; changes no answer."""
        self._replica.rebuild(progress=progress)

    def close(self) -> None:
        """Close the store; safe to call twice."""
        self._replica.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def now_ms(self) -> int:
        """The time as this memory takes it, in milliseconds since 1970.

        Raises:
            ClockError: if the clock is out of all range.
        """
        ms = self._clock() // 1_000_000
        pack(ms)  # refuses a clock that no stamp can hold, before anything depends on it
        return ms
