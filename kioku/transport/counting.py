"""What a transport counts: each thing that it drops is seen somewhere, if only as a number."""

from __future__ import annotations

import threading
from typing import Literal, NamedTuple

Counted = Literal[
    "puts_received", "queries_received", "queries_refused", "garbage", "too_large", "failures"
]


class LinkStatistics(NamedTuple):
    """What came in and what was dropped.

    ``garbage`` came under a key that no replica writes, ``too_large`` was over the limit of a
    message, in or out, ``queries_refused`` came while too many others waited, ``failures`` are
    errors that the driver, or whoever a delivery was handed to, raised.
    """

    puts_received: int = 0
    queries_received: int = 0
    queries_waiting: int = 0
    queries_refused: int = 0
    garbage: int = 0
    too_large: int = 0
    failures: int = 0


class Counters:
    """The counters of one transport; any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a question may be dropped by the collector, at any line
        self._counts: dict[str, int] = {}
        self._waiting = 0

    def count(self, what: Counted) -> None:
        """Count one more."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + 1

    def admit(self, waiting_max: int) -> bool:
        """Let one more question wait, or count that it was refused."""
        with self._lock:
            if self._waiting < waiting_max:
                self._waiting += 1
                return True
        self.count("queries_refused")
        return False

    def release(self) -> None:
        """Take note that a question waits no more."""
        with self._lock:
            self._waiting -= 1

    def snapshot(self) -> LinkStatistics:
        """Give all of them as they are now."""
        with self._lock:
            return LinkStatistics(queries_waiting=self._waiting, **self._counts)
