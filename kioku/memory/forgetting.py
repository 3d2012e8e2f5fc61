"""What takes away from a memory, and what brings back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kioku.log.draft import retracts
from kioku.memory import change
from kioku.memory.handle import Handle
from kioku.memory.intake import key_of_id, reason_body
from kioku.memory.synonyms import all_names

if TYPE_CHECKING:
    from kioku.observation import Observation
    from kioku.retention import GcCounts

ERASURE_WAIT_MS: Final = 30_000


class Forgetting(Handle):
    """Deleting, undeleting, purging and garbage collection."""

    def delete(self, id: str, reason: str = "") -> None:
        """Delete an observation everywhere; ``undelete`` brings it back until ``gc`` erases it.

        Raises:
            NotFoundError: if there is nothing under this id, or it is deleted or purged already.
        """
        key, body = key_of_id(id), reason_body(reason, secrets=self._settings.secrets)
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
            StoreError: if a store that a restore kept can't be read, so may still hold them.
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
        from dataclasses import replace

        from kioku import retention as garbage

        policy = garbage.make_policy(retention, history, project=project, host=host)
        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            if policy.projects:
                names = all_names(reading, policy.projects, now_ms)
                policy = replace(policy, projects=names)
            plan = garbage.find(reading, policy, wall_ms=now_ms)
        if plan.targets and not dry_run:
            # What another process saves between the two is no target, so nothing is lost by it.
            with self._replica.transaction(now_ms=self.now_ms()) as transaction:
                transaction.append(retracts(plan.targets))
            self._replica.finish_erasure(ERASURE_WAIT_MS)
        return plan.counts(is_dry_run=dry_run)
