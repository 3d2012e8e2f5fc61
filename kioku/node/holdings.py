"""A replica as its sessions see it: the port of ``kioku.transport.holdings`` over a ``Replica``.

Beside the store it keeps the sums of its stated tips in memory (``PrefixSums``). They are held
level by the digest that the store keeps in each transaction: while it is theirs, nothing has
changed; else the logs with new events are asked for their tips, whoever brought them, and should
the digests then still differ, all are read anew. So what another process seals or ingests is seen
with the next question, and no change can be missed.

Not safe to share between threads: it belongs to the node's loop, like the sessions that ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.prefix import PrefixSums
from kioku.transport.holdings import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kioku.log.event import EventId
    from kioku.log.frontier import Tip
    from kioku.replica import Replica
    from kioku.transport.holdings import Body, Place


class ReplicaHoldings:
    """What a replica holds, and the ways in. Implements ``Holdings``."""

    def __init__(self, replica: Replica, now_ms: Callable[[], int]) -> None:
        """Stand on an open replica; ``now_ms`` gives the wall whenever something is ingested."""
        self._replica = replica
        self._now_ms = now_ms
        self._sums = PrefixSums()
        self._row = -1
        self._reloads = 0
        self.space_id: bytes | None = None
        """The space that is spoken in: what comes in belongs to it, and to no other."""

    # -- what is stated

    def digest(self) -> bytes:
        """Give the fingerprint of the stated frontier: 32 bytes."""
        return self._level().digest()

    def count_tips(self, prefix: str) -> int:
        """Count the stated tips of the logs under a prefix."""
        return self._level().count(prefix)

    def heads(self, prefix: str) -> list[Head]:
        """Give the stated tips of the logs under a prefix, ascending."""
        tips = self._level().tips(prefix)
        return list(map(Head, tips, self._replica.stamps_of(tips)))

    def sums(self, prefix: str) -> list[bytes]:
        """Give 16 sums of the tips under a prefix, by the next hex digit: 16 bytes each."""
        return self._level().sums(prefix)

    def tips_of(self, log_id: bytes) -> list[Tip]:
        """Give a log's stated tips, ascending by seq."""
        return self._level().tips_of(log_id)

    def reloads(self) -> int:
        """Count how often all tips were read: once to begin with, and seldom since."""
        return self._reloads

    def _level(self) -> PrefixSums:
        """Bring the sums to what the store states now."""
        digest = self._sums.digest() if self._row >= 0 else None
        found = self._replica.stated_changes(self._row, digest)
        if self._row >= 0:
            for log_id, tips in found.logs:
                self._sums.put(log_id, tips)
            if self._sums.digest() != found.digest:
                found = self._replica.stated_changes(-1, None)
                self._row = -1
        if self._row < 0:
            self._sums = PrefixSums(found.logs)
            self._reloads += 1
        self._row = found.row
        return self._sums

    # -- what is held

    def holds(self, event: EventId) -> bool:
        """Whether exactly this event is here and sealed, itself or later, on any branch."""
        return self._replica.holds(event)

    def sealed_at_or_below(self, event: EventId) -> Place | None:
        """Give the last sealed event at or before a held one, on its own path; None for none."""
        return self._replica.sealed_at_or_below(event)

    def hashes(self, goal: EventId, seqs: Sequence[int]) -> list[Place] | None:
        """Give the events at ``seqs`` on the way to ``goal``; None if ``goal`` is not held."""
        return self._replica.hashes(goal, seqs)

    def read_range(self, goal: EventId, after: Place | None) -> Iterator[bytes] | None:
        """Give the chunks past ``after`` on the way to ``goal``; all for None."""
        return self._replica.read_range(goal, after)

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        """Give the bodies that are here, of those events that are."""
        return self._replica.bodies(events)

    def missing(self, limit: int) -> list[EventId]:
        """Give events whose bodies should be here and are not, the newest first."""
        return self._replica.missing_events(limit)

    def is_erased(self) -> bool:
        """Whether nothing that a purge or retract named is left in any file here."""
        return self._replica.is_erased()

    # -- the ways in

    def ingest(self, data: bytes) -> int:
        """Accept a chunk; gives how many events were new.

        Raises:
            PeerError: the kind that says why it is refused; nothing of it was stored.
            StoreAccessError: if the store was made another space's since that was joined.
        """
        counts = self._replica.ingest_chunk(data, now_ms=self._now_ms(), space_id=self.space_id)
        return counts.new_events

    def supply(self, bodies: Sequence[Body]) -> int:
        """Give missing events their bodies; gives how many were accepted.

        Raises:
            BadCommitmentError: if one is not what its event commits to; none was stored.
        """
        return self._replica.supply_bodies(bodies, now_ms=self._now_ms())
