"""What sets a memory right after its machine was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.memory.handle import Handle

if TYPE_CHECKING:
    from kioku.clock_repair import ClockRepair


class Mending(Handle):
    """Repairs that a person decides on."""

    def fix_clock(self, *, dry_run: bool = False) -> ClockRepair:
        """Stamp again, from the clock as it is now, what was saved while it ran ahead.

        What this store saved or deleted more than 60 s ahead is appended again and then retracted,
        in one transaction. What can be read stays as it is, and so does what others wrote; from
        then on their edits count. Be sure that the clock is right now. ``dry_run`` only looks.

        Raises:
            ClockError: if the clock itself may be what is wrong: it stands before 2025, or events
                of other logs that took effect here lie ahead of it too; nothing was written.
            StoreError: if the content of such an event is missing here; nothing was written.
        """
        from kioku import clock_repair

        now_ms = self.now_ms()
        if dry_run:
            with self._replica.reading(now_ms=now_ms) as reading:
                found = clock_repair.survey(reading, wall_ms=now_ms)
            clock_repair.check_safe(found)
        else:
            with self._replica.transaction(now_ms=now_ms) as transaction:
                found = clock_repair.repair(transaction, wall_ms=now_ms)
        return clock_repair.result(found, is_dry_run=dry_run)
