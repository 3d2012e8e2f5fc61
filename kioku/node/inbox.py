"""What the mesh has delivered and the node's loop has not yet taken: bounded, whatever comes.

The rule this module guards: **whoever delivers never waits, and no flood takes more than its
share**. Puts and questions of others may fill half of the room, so that answers to our own always
find some. What does not fit is dropped and counted: a put will be seen in a comparison, a question
is ended at once, and its asker knows that this means nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import TransportError
from kioku.transport.link import LinkChange, Put, Query, Reply, ReplyEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.transport.link import Delivery

COUNT_MAX: Final = 4_096
"""Deliveries: some seconds of beacons from a thousand replicas."""
BYTES_MAX: Final = 16 * 1024 * 1024
"""Four messages of the largest size; a session's credit is one. Each space has its own."""


class InboxStatistics(NamedTuple):
    """What waits in an inbox, and what was dropped since it was made."""

    waiting: int
    waiting_bytes: int
    dropped_puts: int
    dropped_queries: int
    dropped_replies: int


class Inbox:
    """A queue into the node's loop; ``put`` from any thread, the rest from the loop alone."""

    def __init__(
        self,
        wake: Callable[[], None],
        *,
        count_max: int = COUNT_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._wake = wake
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._is_closed = False
        self._dropped = {Put: 0, Query: 0, Reply: 0, ReplyEnd: 0}
        self.heard = 0

    def put(self, delivery: Delivery) -> None:
        """Take a delivery in, or drop it; never waits."""
        size = _size(delivery)
        with self._lock:
            is_taken = self._has_room(delivery, size)
            if is_taken:
                self._waiting.append(delivery)
                self._bytes += size
                self.heard += isinstance(delivery, Put | Query | Reply)
            elif not isinstance(delivery, LinkChange):
                self._dropped[type(delivery)] += 1
        if is_taken:
            self._wake()
        elif isinstance(delivery, Query):
            with suppress(TransportError):
                delivery.end()

    def _has_room(self, delivery: Delivery, size: int) -> bool:
        if self._is_closed:
            return False
        if isinstance(delivery, LinkChange):
            return True  # they come from our own transport, as rarely as a connection breaks
        share = 2 if isinstance(delivery, Put | Query) else 1
        return (
            len(self._waiting) < self._count_max // share
            and self._bytes + size <= self._bytes_max // share
        )

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to take; one that comes just now may be overlooked."""
        return bool(self._waiting)

    def take(self, count_max: int) -> list[Delivery]:
        """Give up to ``count_max`` deliveries, the first to come first."""
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(count_max, len(self._waiting)))]
            self._bytes -= sum(map(_size, taken))
        return taken

    def close(self) -> None:
        """Drop what waits, and all that still comes; questions are ended."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, deque()
            self._bytes = 0
        for delivery in waiting:
            if isinstance(delivery, Query):
                with suppress(TransportError):
                    delivery.end()

    def statistics(self) -> InboxStatistics:
        """Count what waits and what was dropped."""
        with self._lock:
            return InboxStatistics(
                waiting=len(self._waiting),
                waiting_bytes=self._bytes,
                dropped_puts=self._dropped[Put],
                dropped_queries=self._dropped[Query],
                dropped_replies=self._dropped[Reply] + self._dropped[ReplyEnd],
            )


def _size(delivery: Delivery) -> int:
    return len(delivery.data) if isinstance(delivery, Put | Query | Reply) else 0
