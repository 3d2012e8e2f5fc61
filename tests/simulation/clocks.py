"""A machine's clocks: a wall that may be wrong in every way, and a steady one that only runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

EPOCH_MS: Final = 1_800_000_000_000
"""What a right wall says when a run begins: a day in January 2027."""

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS


class VirtualClock:
    """The clock of one machine; ``kioku.node.engine.Clock``."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._offset_ms = 0
        self._drift_ppm = 0
        self._drifts_since_ms = 0
        self._frozen_ms: int | None = None

    def wall_ms(self) -> int:
        """What this machine takes the time to be, in milliseconds since 1970."""
        if self._frozen_ms is not None:
            return self._frozen_ms
        run_ms = self._schedule.now_ms - self._drifts_since_ms
        return self._true_ms() + self._offset_ms + run_ms * self._drift_ppm // 1_000_000

    def steady_ms(self) -> int:
        """A time that no correction touches."""
        return self._schedule.now_ms

    def _true_ms(self) -> int:
        return EPOCH_MS + self._schedule.now_ms

    @property
    def error_ms(self) -> int:
        """How far the wall is ahead of the truth."""
        return self.wall_ms() - self._true_ms()

    def set(self, offset_ms: int, drift_ppm: int = 0) -> None:
        """Set the wall this far ahead of the truth, and let it run away from there."""
        self._offset_ms, self._drift_ppm = offset_ms, drift_ppm
        self._drifts_since_ms = self._schedule.now_ms
        self._frozen_ms = None

    def freeze(self) -> None:
        """Let the wall stand still until it is set."""
        self._frozen_ms = self.wall_ms()
