"""Virtual time: a queue of what happens when, and a record of what happened.

Nothing here, or above it, reads a real clock: a year passes in no time, and two runs of one seed
do the same in the same order. The record's hash proves that (``Trace.digest``).
"""

from __future__ import annotations

import heapq
from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Schedule:
    """What is still to happen, by time and then by the order in which it was asked for."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, delay_ms: int, call: Callable[[], None]) -> None:
        """Call in ``delay_ms``, after all that is due then already."""
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + max(delay_ms, 0), self._count, call))

    def run_until(self, end_ms: int) -> None:
        """Let everything happen that is due up to ``end_ms``, and be there."""
        while self._queue and self._queue[0][0] <= end_ms:
            self.now_ms, _, call = heapq.heappop(self._queue)
            call()
        self.now_ms = max(self.now_ms, end_ms)


class Trace:
    """What happened, as a hash, as counts of named situations and, if wanted, as lines."""

    def __init__(self, schedule: Schedule, *, keeps_lines: bool = False) -> None:
        self._schedule = schedule
        self._hash = blake2b(digest_size=16)
        self._keeps_lines = keeps_lines
        self.lines: list[str] = []
        self.seen: Counter[str] = Counter()

    def note(self, what: str, *facts: object) -> None:
        """Record a step; ``facts`` must be the same in every run of the seed."""
        line = f"{self._schedule.now_ms} {what} {' '.join(map(str, facts))}"
        self._hash.update(line.encode())
        if self._keeps_lines:
            self.lines.append(line)

    def saw(self, situation: str) -> None:
        """Count a situation that the simulator promises to bring about."""
        self.seen[situation] += 1

    def digest(self) -> str:
        """The fingerprint of everything that was noted: 32 hex digits."""
        return self._hash.hexdigest()
