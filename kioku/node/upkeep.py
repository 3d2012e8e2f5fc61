"""What time alone brings: held events count, erasures are finished, what failed is tried again."""

from __future__ import annotations

from typing import Final

from kioku.errors import StoreBusyError
from kioku.node.site import Site, Timer

HELD_MS: Final = 1_000
"""Between looks whether a held event's time has come; readers look for themselves."""
ERASE_MS: Final = 1_000
ERASE_MS_MAX: Final = 10_000
"""Between attempts to finish an erasure while other processes read: twice as long each time."""
RETRY_MS: Final = 2_000


class Upkeep:
    """Does what is due by time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._held = Timer(0)
        self._erase = Timer(0)
        self._pause_ms = ERASE_MS
        self._is_erased = True
        self._erasures = 0
        self.retry = Timer()
        """When to seal and publish again, after the store failed."""

    @property
    def due_ms(self) -> int:
        """When the next of these is due, on the steady clock."""
        timers = (self._held, self._erase, self.retry)
        return min(timer.due_ms for timer in timers if timer.due_ms is not None)

    def failed(self, now_ms: int) -> None:
        """Let what the store refused be tried again in a while."""
        self.retry.by(now_ms + self._site.jitter(RETRY_MS))

    def has_erased(self) -> bool:
        """Whether something was to be erased since this was asked last."""
        before, self._erasures = self._erasures, self._site.count_erasures()
        return self._erasures > before

    def advance(self, now_ms: int) -> bool:
        """Do what is due; gives whether an erasure was finished, which others may wait for.

        Raises:
            StoreError: if the store failed; it is tried again later.
        """
        if self._held.is_due(now_ms):
            self._held = Timer(now_ms + HELD_MS)
            with self._site.replica.reading(now_ms=self._site.clock.wall_ms()):
                pass  # that folds what was held and whose time has come
        return self._erase.is_due(now_ms) and self._finish_erasing(now_ms)

    def _finish_erasing(self, now_ms: int) -> bool:
        was_erased, self._is_erased = self._is_erased, self._site.holdings.is_erased()
        self._pause_ms = ERASE_MS if self._is_erased else min(2 * self._pause_ms, ERASE_MS_MAX)
        self._erase = Timer(now_ms + self._pause_ms)
        if self._is_erased:
            return not was_erased
        try:
            self._site.replica.finish_erasure(0)
        except StoreBusyError:
            self._site.counts["erasures_delayed"] += 1
            return False
        self._is_erased = True
        return True
