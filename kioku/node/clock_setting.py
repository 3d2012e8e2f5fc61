"""Setting a clock right that was ahead, once somebody else's clock agrees with the wall.

What this machine saved while its clock ran ahead beats everything until that time comes
(``kioku.clock_repair``, DESIGN §5). A person's word is not needed where a peer has just said the
same time as our wall: a beacon of the last minutes, within 60 s. That is asked at most twice a
minute, and costs one look at our clock while that is not ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.clock_repair import repair
from kioku.errors import ClockError, StoreBusyError, StoreError
from kioku.log.hlc import DRIFT_MS_MAX, horizon

if TYPE_CHECKING:
    from kioku.node.site import Site

LOOK_MS: Final = 30_000
REFUSED_MS: Final = 600_000
"""Until it is tried again what was refused: other logs' events lie ahead too, for instance."""


class ClockSetting:
    """Repairs what a clock that was ahead has stamped."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._next_look_ms = 0
        self.problem = ""

    def heard(self, offset_ms: int, now_ms: int) -> bool:
        """Learn how far a peer's wall is from ours; gives whether something was stamped again."""
        if abs(offset_ms) > DRIFT_MS_MAX or now_ms < self._next_look_ms:
            return False
        self._next_look_ms = now_ms + LOOK_MS
        wall = self._site.clock.wall_ms()
        with self._site.replica.reading(now_ms=wall) as reading:
            is_ahead = reading.clock_last() > horizon(wall)
        return is_ahead and self._repair(wall, now_ms)

    def _repair(self, wall_ms: int, now_ms: int) -> bool:
        try:
            with self._site.replica.transaction(now_ms=wall_ms) as transaction:
                found = repair(transaction, wall_ms=wall_ms)
        except StoreBusyError:
            return False
        except (ClockError, StoreError) as error:
            self._next_look_ms = now_ms + REFUSED_MS
            self.problem = str(error)
            return False
        self.problem = ""
        self._site.counts["events_stamped_again"] += len(found.again)
        return found.is_ahead
