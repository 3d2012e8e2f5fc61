"""Replicas on paper: any number of logs of any length, without a store, a key or a signature.

Every hash is a function of its place, so a hundred thousand logs cost a second. What a session
says and asks over them is what it would over stores, byte for byte but for the content of events.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from kioku.log.chunk import CHUNK_BYTES_MAX, EVENT_OVERHEAD_BYTES, encode_chunk
from kioku.log.event import SAVE, ZERO_HASH, Event, EventId
from kioku.log.hlc import pack
from kioku.log.prefix import PrefixSums
from kioku.transport.holdings import Body, Head, Place
from kioku.transport.peek import chunk_start
from tests.property.histories import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EVENTS_A_CHUNK = 500


def log_ids(count: int) -> list[bytes]:
    """The same ids every time, spread as those of real logs are."""
    return [blake2b(b"log %d" % n, digest_size=16).digest() for n in range(count)]


def event_at(log_id: bytes, seq: int) -> EventId:
    return EventId(log_id, seq, blake2b(log_id + b"%d" % seq, digest_size=32).digest())


class PaperHoldings:
    """Unforked logs that are as long as ``lengths`` says, all of it sealed."""

    def __init__(self, lengths: Mapping[bytes, int], *, body_bytes: int = 200) -> None:
        self.lengths = dict(lengths)
        self.body = bytes(body_bytes)
        self.chunk_bytes = 0
        self._sums = PrefixSums((log, [event_at(log, seq)]) for log, seq in lengths.items())

    def grow(self, log_id: bytes, count: int) -> None:
        """Append to a log."""
        self.lengths[log_id] = self.lengths.get(log_id, 0) + count
        self._sums.put(log_id, self.tips_of(log_id))

    def digest(self) -> bytes:
        return self._sums.digest()

    def count_tips(self, prefix: str) -> int:
        return self._sums.count(prefix)

    def heads(self, prefix: str) -> list[Head]:
        return [Head(tip, pack(NOW_MS) + tip.seq) for tip in self._sums.tips(prefix)]

    def sums(self, prefix: str) -> list[bytes]:
        return self._sums.sums(prefix)

    def tips_of(self, log_id: bytes) -> list[EventId]:
        seq = self.lengths.get(log_id, 0)
        return [event_at(log_id, seq)] if seq else []

    def holds(self, event: EventId) -> bool:
        return event.seq <= self.lengths.get(event.log_id, 0) and event == event_at(*event[:2])

    def sealed_at_or_below(self, event: EventId) -> Place | None:
        return Place(event.seq, event.hash)

    def hashes(self, goal: EventId, seqs: Sequence[int]) -> list[Place] | None:
        if not self.holds(goal):
            return None
        return [Place(*event_at(goal.log_id, seq)[1:]) for seq in seqs if seq <= goal.seq]

    def read_range(self, goal: EventId, after: Place | None) -> Iterator[bytes] | None:
        if not self.holds(goal) or (after and not self.holds(EventId(goal.log_id, *after))):
            return None
        return self._chunks(goal, after.seq + 1 if after else 1)

    def _chunks(self, goal: EventId, first: int) -> Iterator[bytes]:
        while first <= goal.seq:
            fit = max(1, (CHUNK_BYTES_MAX - 512) // (len(self.body) + EVENT_OVERHEAD_BYTES))
            count = min(EVENTS_A_CHUNK, fit, goal.seq - first + 1)
            event = Event(pack(NOW_MS), SAVE, bytes(16), None, bytes(16), self.body)
            prev = event_at(goal.log_id, first - 1).hash if first > 1 else ZERO_HASH
            yield encode_chunk(
                goal.log_id, first, prev, events=[event] * count, signature=bytes(64)
            )
            first += count

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        return []

    def missing(self, limit: int) -> list[EventId]:
        return []

    def ingest(self, data: bytes) -> int:
        start = chunk_start(data)
        held = self.lengths.get(start.log_id, 0)
        assert start.first_seq <= held + 1, "a gap"
        new = max(0, start.last_seq - held)
        self.chunk_bytes += len(data)
        self.grow(start.log_id, new)
        return new

    def supply(self, bodies: Sequence[Body]) -> int:
        return 0

    def is_erased(self) -> bool:
        return True
