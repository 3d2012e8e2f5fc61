"""What puts words into a memory: each call is one transaction, or one a thousand observations."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from kioku.bulk import uncollected
from kioku.log.event import make_key
from kioku.memory import change
from kioku.memory.handle import Handle
from kioku.memory.intake import Changes, Fields, from_fields, from_item, key_of_id
from kioku.observation import from_unix_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Unpack

    from kioku.memory.change import Prepared
    from kioku.memory.predecessor import Predecessor
    from kioku.observation import Observation
    from kioku.replica import Transaction

BATCH: Final = 1_000
"""Observations of one transaction of ``save_many``: its fsync is a hundredth of it, and others wait
for the lock no longer than some 20 ms."""


class Saving(Handle):
    """Saving and editing."""

    def save(
        self, content: str, *, if_duplicate: str = "save", **fields: Unpack[Fields]
    ) -> Observation:
        """Save one observation; when this returns it survives a crash.

        At durability ``full`` it survives a power cut too. Fields: project, tags, memory_type
        (``note``), importance (2), subject, summary, source_files, references, supersedes (full
        ids), expires_at or ttl (from now), session_id (the memory's own), extra. One that is None
        counts as not given.

        With ``if_duplicate="return"`` an observation of the same content and project that can be
        read now, is not superseded, replaces as much and lasts as long is given instead, marked
        ``is_duplicate``; nothing is written, whatever the other fields say.

        Raises:
            InvalidArgumentError: if ``if_duplicate`` is neither ``save`` nor ``return``.
            InvalidObservationError: if a field breaks its rule or limit; nothing was written.
            StoreError: if it could not be written; nothing was acknowledged.
        """
        returns = change.returns_duplicates(if_duplicate)
        now_ms = self.now_ms()
        given = {**fields, "content": content}
        observation = from_fields(given, self._author, now=from_unix_ms(now_ms))
        new_key = make_key(self._random_bytes(10), now_ms)
        item = change.prepare(observation, new_key, secrets=self._settings.secrets)
        with self._replica.transaction(now_ms=now_ms) as transaction:
            return self._put(transaction, [item], returns_duplicates=returns)[0]

    def save_many(
        self,
        items: Iterable[Mapping[str, Any] | Observation],
        *,
        keep_times: bool = False,
        if_duplicate: str = "save",
        progress: Callable[[int, int], object] | None = None,
    ) -> list[Observation]:
        """Save many observations, about 1,000 a transaction; all are checked before the first.

        Args:
            items: dicts of the fields of ``save``, or observations. An observation that has an id
                keeps it and its author, so saving one that is here already is an edit of it.
            keep_times: stamp observations that have an id with their own ``updated_at``, so that
                importing them here and elsewhere undoes nothing that is newer. Those that are
                here already, or newer, deleted or purged here, are left out.
            if_duplicate: as of ``save``, for items without an id; the first of several counts.
            progress: called with (done, total) after each transaction.

        Returns:
            What was written, in the order given, and among it the duplicates that were found.

        Raises:
            InvalidArgumentError: if ``if_duplicate`` is neither ``save`` nor ``return``.
            InvalidObservationError: if any item breaks a rule; then nothing was written.
            StoreError: if a transaction failed; those reported to ``progress`` are safe.
        """
        returns = change.returns_duplicates(if_duplicate)
        given, now_ms = iter(items), self.now_ms()
        prepared: list[Prepared] = []
        while batch := list(islice(given, BATCH)):
            with uncollected():
                prepared += self._prepared(batch, now_ms, keep_times=keep_times)
        saved: list[Observation] = []
        for start in range(0, len(prepared), BATCH):
            ready = prepared[start : start + BATCH]
            with uncollected(), self._replica.transaction(now_ms=self.now_ms()) as transaction:
                saved += self._put(transaction, ready, returns_duplicates=returns)
            if progress is not None:
                progress(start + len(ready), len(prepared))
        return saved

    def _prepared(
        self, items: Iterable[Mapping[str, Any] | Observation], now_ms: int, *, keep_times: bool
    ) -> list[Prepared]:
        now = from_unix_ms(now_ms)
        return [
            change.prepare(
                from_item(item, self._author, now=now),
                make_key(self._random_bytes(10), now_ms),
                secrets=self._settings.secrets,
                keep_times=keep_times,
            )
            for item in items
        ]

    def _put(
        self, transaction: Transaction, items: Sequence[Prepared], *, returns_duplicates: bool
    ) -> list[Observation]:
        if not returns_duplicates:
            return change.save(transaction, items)
        from kioku.memory import duplicates

        return duplicates.save(transaction, items, now_ms=self.now_ms())

    def predecessors(
        self, content: str, *, project: str = "", subject: str = "", limit: int = 3
    ) -> list[Predecessor]:
        """Give what a text may replace: what says clearly nearly the same, the nearest first.

        Of the same project, and visible now. Where both have the same ``subject``, less of the
        words need be the same. Cost: about 3 ms at 100,000 observations.

        Raises:
            InvalidObservationError: if no observation could say this.
            InvalidArgumentError: if ``limit`` is not a number from 1 to 10.
        """
        from kioku.memory import duplicates

        duplicates.check_predecessors(content, project=project, subject=subject, limit=limit)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            return duplicates.predecessors(
                reading, content, project=project, subject=subject, limit=limit, now_ms=now_ms
            )

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
            return change.edit(
                transaction, key, changes, now_ms=now_ms, secrets=self._settings.secrets
            )
